// The pod's own fields as files.
#include "nodeagent/downward_api.h"

#include <utility>

#include "nodeagent/volumes/kinds/volume_kind.h"

namespace nodeagent {
namespace {

base::Status AddFields(const PodContext& context, base::Value body, int64_t mode,
                       VolumeFiles& files) {
  for (base::Value item : body["items"].Elements()) {
    base::Result<std::string> value =
        item["fieldRef"].Exists() ? FieldValue(context, item["fieldRef"]["fieldPath"].AsString())
                                  : ResourceValue(context, {}, item["resourceFieldRef"]);
    if (!value.ok()) return value.status();
    RETURN_IF_ERROR(
        AddFile(item["path"].AsString(), *std::move(value), item["mode"].AsInt(mode), files));
  }
  return {};
}

}  // namespace

extern const VolumeKind kDownwardApiVolume = {.field = "downwardAPI", .add_files = AddFields};

}  // namespace nodeagent

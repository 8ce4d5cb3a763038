// Each key is a file, or each that `items` name.
#include "nodeagent/volumes/kinds/volume_kind.h"

namespace nodeagent {
namespace {

base::Status AddConfigMap(const PodContext& context, base::Value body, int64_t mode,
                          VolumeFiles& files) {
  const std::string_view name = body["name"].AsString();
  const bool optional = body["optional"].AsBool();
  ASSIGN_OR_RETURN(const Entries entries, ConfigMapEntries(context, name, optional));
  return AddEntries(entries, body["items"], "configmap", name, optional, mode, files);
}

}  // namespace

extern const VolumeKind kConfigMapVolume = {.field = "configMap", .add_files = AddConfigMap};

}  // namespace nodeagent

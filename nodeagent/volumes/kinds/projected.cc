// Files of several sources: of two with one path the later source's stays.
#include "nodeagent/volumes/kinds/volume_kind.h"

namespace nodeagent {
namespace {

constexpr std::string_view kField = "projected";

bool IsSource(const VolumeKind& kind) { return kind.add_files != nullptr && kind.field != kField; }

base::Status AddSources(const PodContext& context, base::Value body, int64_t mode,
                        VolumeFiles& files) {
  for (base::Value source : body["sources"].Elements()) {
    const VolumeKind* kind = FindVolumeKind(source);
    if (kind == nullptr || !IsSource(*kind)) {
      return base::Status(base::Code::kInvalid, "a source is of a kind that is not served; use " +
                                                    VolumeKindNames(IsSource));
    }
    RETURN_IF_ERROR(kind->add_files(context, source[kind->field], mode, files));
  }
  return {};
}

bool HasSecretSource(base::Value body) {
  for (base::Value source : body["sources"].Elements()) {
    const VolumeKind* kind = FindVolumeKind(source);
    if (kind != nullptr && IsSource(*kind) && kind->holds_secret != nullptr &&
        kind->holds_secret(source[kind->field])) {
      return true;
    }
  }
  return false;
}

}  // namespace

extern const VolumeKind kProjectedVolume = {
    .field = kField, .add_files = AddSources, .holds_secret = HasSecretSource};

}  // namespace nodeagent

// A directory that lives and dies with the pod, on disk or in memory.
#include "manifests/quantity.h"
#include "nodeagent/volumes/kinds/volume_kind.h"

namespace nodeagent {
namespace {

base::Status BuildDirectory(base::Value body, VolumeWrite& write) {
  write.kind = VolumeWrite::Kind::kDirectory;
  write.in_memory = body["medium"].AsString() == "Memory";
  write.size_limit = manifests::Quantity::Of(body["sizeLimit"]).Value();
  return {};
}

}  // namespace

extern const VolumeKind kEmptyDirVolume = {.field = "emptyDir", .build = BuildDirectory};

}  // namespace nodeagent

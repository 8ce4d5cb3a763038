// A path of the machine.
#include "nodeagent/volumes/kinds/volume_kind.h"

namespace nodeagent {
namespace {

base::Status BuildHostPath(base::Value body, VolumeWrite& write) {
  write.kind = VolumeWrite::Kind::kHost;
  write.host_path = body["path"].AsString();
  write.host_type = body["type"].AsString();
  return {};
}

}  // namespace

extern const VolumeKind kHostPathVolume = {.field = "hostPath", .build = BuildHostPath};

}  // namespace nodeagent

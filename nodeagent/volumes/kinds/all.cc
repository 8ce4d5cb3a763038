#include "nodeagent/volumes/kinds/volume_kind.h"

// One a file of this folder: Name stands for kNameVolume, which that file defines. Messages name
// them in this order.
#define FOR_EACH_VOLUME_KIND(DO) \
  DO(ConfigMap)                  \
  DO(Secret)                     \
  DO(DownwardApi)                \
  DO(Projected)                  \
  DO(EmptyDir)                   \
  DO(HostPath)

namespace nodeagent {

#define DECLARE(NAME) extern const VolumeKind k##NAME##Volume;
FOR_EACH_VOLUME_KIND(DECLARE)
#undef DECLARE

std::span<const VolumeKind* const> AllVolumeKinds() {
#define ADDRESS(NAME) &k##NAME##Volume,
  static constexpr const VolumeKind* kAll[] = {FOR_EACH_VOLUME_KIND(ADDRESS)};
#undef ADDRESS
  return kAll;
}

}  // namespace nodeagent

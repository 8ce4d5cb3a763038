#include "nodeagent/pods/checks/check_kind.h"

// One a file of this folder: Name stands for kNameCheck, which that file defines.
#define FOR_EACH_CHECK_KIND(DO) \
  DO(Exec)                      \
  DO(HttpGet)                   \
  DO(TcpSocket)                 \
  DO(Grpc)                      \
  DO(Sleep)

namespace nodeagent {

#define DECLARE(NAME) extern const CheckKind k##NAME##Check;
FOR_EACH_CHECK_KIND(DECLARE)
#undef DECLARE

std::span<const CheckKind* const> AllCheckKinds() {
#define ADDRESS(NAME) &k##NAME##Check,
  static constexpr const CheckKind* kAll[] = {FOR_EACH_CHECK_KIND(ADDRESS)};
#undef ADDRESS
  return kAll;
}

}  // namespace nodeagent

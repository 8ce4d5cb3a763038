#include <algorithm>

#include "gitsync/report/notifiers/notifier.h"

// One a file of this folder: Name stands for kNameNotifier, which that file defines. Messages name
// them in this order.
#define FOR_EACH_NOTIFIER(DO) \
  DO(Generic)                 \
  DO(GenericHmac)             \
  DO(StandardWebhook)

namespace gitsync {

#define DECLARE(NAME) extern const Notifier k##NAME##Notifier;
FOR_EACH_NOTIFIER(DECLARE)
#undef DECLARE

namespace {

#define ADDRESS(NAME) &k##NAME##Notifier,
constexpr const Notifier* kNotifiers[] = {FOR_EACH_NOTIFIER(ADDRESS)};
#undef ADDRESS

}  // namespace

std::span<const Notifier* const> AllNotifiers() { return kNotifiers; }

const Notifier* FindNotifier(std::string_view type) {
  const auto found = std::find_if(std::begin(kNotifiers), std::end(kNotifiers),
                                  [&](const Notifier* each) { return each->type == type; });
  return found == std::end(kNotifiers) ? nullptr : *found;
}

}  // namespace gitsync

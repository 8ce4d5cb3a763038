// One row a type, in the order of their names.
#include <algorithm>

#include "gitsync/report/notifiers/notifier.h"

namespace gitsync {

// Each stands in a file of its own.
extern const Notifier kGenericNotifier, kGenericHmacNotifier, kStandardWebhookNotifier;

namespace {

constexpr const Notifier* kNotifiers[] = {
    &kGenericNotifier,
    &kGenericHmacNotifier,
    &kStandardWebhookNotifier,
};

}  // namespace

std::span<const Notifier* const> AllNotifiers() { return kNotifiers; }

const Notifier* FindNotifier(std::string_view type) {
  const auto found = std::find_if(std::begin(kNotifiers), std::end(kNotifiers),
                                  [&](const Notifier* each) { return each->type == type; });
  return found == std::end(kNotifiers) ? nullptr : *found;
}

}  // namespace gitsync

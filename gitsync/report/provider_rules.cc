// A Provider that is acted on has a Secret if its type asks for a token, and an address that can be
// called. Other types are for people who bring their manifests along.
#include "gitsync/report/provider_rules.h"

#include <string>

#include "gitsync/report/delivery.h"
#include "gitsync/report/notifiers/notifier.h"
#include "manifests/rules/report.h"

namespace gitsync {
namespace {

// "a, b and c"
std::string KnownTypes() {
  std::string text;
  const auto all = AllNotifiers();
  for (size_t i = 0; i < all.size(); ++i) {
    if (i > 0) text += i + 1 == all.size() ? " and " : ", ";
    text += all[i]->type;
  }
  return text;
}

void CheckProvider(const base::Json& object, manifests::Report& report) {
  const base::Json& spec = object["spec"];
  const base::Json& type = spec["type"];
  if (!type.IsString()) return;
  const Notifier* notifier = FindNotifier(type.AsString());
  if (notifier == nullptr) {
    report.Warn("spec.type",
                "\"" + std::string(type.AsString()) +
                    "\" is accepted but not acted on; plumb sends to " + KnownTypes(),
                type.mark);
    return;
  }
  if (!notifier->token.empty() && spec["secretRef"].IsNull()) {
    report.Required("spec.secretRef", std::string(notifier->token), spec);
  }
  const base::Json& address = spec["address"];
  const std::string_view text = address.AsString();
  // The Secret may hold it, too.
  if (text.empty() || text.starts_with("https://") || text.starts_with("http://")) return;
  report.Invalid("spec.address", "must start with https:// or http://", address);
}

}  // namespace

extern constinit const manifests::KindCheck kProviderCheck = {kProviders, CheckProvider};

}  // namespace gitsync

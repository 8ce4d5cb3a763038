#include "gitsync/report/notifiers/notifier.h"

#include "base/base64.h"

namespace gitsync {

using base::Code;
using base::Result;
using base::Status;

std::string EventName(const Deploy& deploy) {
  return "dev.plumb.deploy." + std::string(PhaseName(deploy.phase));
}

bool ProviderSecret::Has(std::string_view key) const {
  return object != nullptr && !(*object)["data"][key].AsString().empty();
}

Result<std::string> ProviderSecret::Get(std::string_view key) const {
  if (!Has(key)) {
    return Status(Code::kNotFound,
                  "there is no Secret \"" + name + "\" with the key " + std::string(key));
  }
  Result<std::string> text = base::Base64Decode((*object)["data"][key].AsString());
  if (!text.ok()) return text.status().WithContext(key);
  return text;
}

}  // namespace gitsync

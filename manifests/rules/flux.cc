#include "manifests/rules/flux.h"

#include <string>

namespace manifests {

// The URL's scheme decides how Git connects; plain paths and git:// are refused, as Flux does.
void CheckGitRepository(const base::Json& object, Report& report) {
  const base::Json& url = object["spec"]["url"];
  const std::string_view text = url.AsString();
  if (text.empty()) return;
  for (const std::string_view scheme : {"http://", "https://", "ssh://"}) {
    if (text.starts_with(scheme) && text.size() > scheme.size()) return;
  }
  report.Invalid("spec.url", "must start with https://, http:// or ssh://", url);
}

}  // namespace manifests

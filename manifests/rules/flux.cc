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

void CheckAlert(const base::Json& object, Report& report) {
  size_t index = 0;
  for (const base::Json& source : object["spec"]["eventSources"].Elements()) {
    const base::Json& kind = source["kind"];
    if (kind.IsString() && kind.AsString() != "Kustomization") {
      report.Warn("spec.eventSources[" + std::to_string(index) + "].kind",
                  "only Kustomization, a repository's deploys, is acted on", kind.mark);
    }
    ++index;
  }
}

}  // namespace manifests

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

// A webhook needs to know where to go and what to sign with; other types are for people who bring
// their manifests along.
void CheckProvider(const base::Json& object, Report& report) {
  const base::Json& spec = object["spec"];
  const base::Json& type = spec["type"];
  if (!type.IsString()) return;
  if (type.AsString() != "standard-webhook") {
    report.Warn("spec.type",
                "\"" + std::string(type.AsString()) +
                    "\" is accepted but not acted on; plumb sends to standard-webhook only",
                type.mark);
    return;
  }
  if (spec["secretRef"].IsNull()) {
    report.Required("spec.secretRef",
                    "must name a Secret whose key token signs what is sent: "
                    "\"whsec_\" and 24 to 64 random bytes in base64",
                    spec);
  }
  const base::Json& address = spec["address"];
  const std::string_view text = address.AsString();
  // The Secret may hold it, too.
  if (text.empty() || text.starts_with("https://") || text.starts_with("http://")) return;
  report.Invalid("spec.address", "must start with https:// or http://", address);
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

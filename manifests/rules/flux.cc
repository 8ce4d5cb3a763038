#include "manifests/rules/flux.h"

#include <string>

#include "manifests/syntax.h"

namespace manifests {
namespace {

// Where plumb looks for the sources that it hosts: their names become directories.
constexpr std::string_view kHostedIn = "plumb-system";
constexpr std::string_view kOwnBranch = "plumb";  // and what is below it

// What is written here has to be read again, by a restore at the latest.
void CheckHosted(const base::Json& object, Report& report) {
  const base::Json& name = object["metadata"]["name"];
  const bool hosted = object["metadata"]["namespace"].AsString() == kHostedIn;
  if (hosted && name.IsString() && !IsDns1123Label(name.AsString())) {
    report.Invalid("metadata.name",
                   "it becomes a repository's name: use at most 63 lower-case letters, digits and "
                   "'-', with a letter or digit at both ends",
                   name);
  }
  const base::Json& branch = object["spec"]["ref"]["branch"];
  const std::string_view text = branch.AsString();
  if (text.empty()) return;
  if (!IsGitRef("refs/heads/" + std::string(text))) {
    report.Invalid("spec.ref.branch",
                   "it cannot name a branch; use a name that git "
                   "check-ref-format accepts, such as main",
                   branch);
  } else if (hosted && (text == kOwnBranch || text.starts_with("plumb/"))) {
    report.Invalid("spec.ref.branch", "plumb writes this branch itself; deploy another one",
                   branch);
  }
}

}  // namespace

// The URL's scheme decides how Git connects; plain paths and git:// are refused, as Flux does.
void CheckGitRepository(const base::Json& object, Report& report) {
  CheckHosted(object, report);
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

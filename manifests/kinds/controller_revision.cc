// A revision is a part of its controller: it is shown there, as that one's history.
#include <string>

#include "manifests/kinds/cells.h"
#include "manifests/kinds/kind_facts.h"

namespace manifests {
namespace {

// "daemonset.apps/web"
base::Json ControllerName(base::Value revision, base::WallTime) {
  for (const base::Value owner : revision["metadata"]["ownerReferences"].Elements()) {
    if (!owner["controller"].AsBool()) continue;
    std::string text = LowerCase(owner["kind"].AsString());
    const std::string_view version = owner["apiVersion"].AsString();
    const size_t slash = version.find('/');
    if (slash != version.npos) text += "." + std::string(version.substr(0, slash));
    return text + "/" + std::string(owner["name"].AsString());
  }
  return kNoneCell;
}

constexpr NamedCell kCells[] = {{"controllerName", ControllerName}};

}  // namespace

extern constinit const KindFacts kControllerRevisionFacts = {
    .resource = "controllerrevisions.apps",
    .adoptable = true,
    .selectable = true,
    .judged = false,
    .hidden = [](base::Value) { return true; },
    .cells = kCells,
};

}  // namespace manifests

// Pod security of namespaces: which policy (manifests/rules/pod_security.h) holds for their pods,
// and what of an object it forbids. Admission and the plan of a push ask the same.
//
// A namespace says it by Kubernetes' labels pod-security.kubernetes.io/{enforce,warn} and -version;
// else the cluster's default is enforced, which an annotation of plumb-system holds: so it is the
// data's, not the process's. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "manifests/rules/pod_security.h"
#include "state/draft.h"
#include "state/view.h"

namespace state {

struct PodSecurity {
  manifests::PodSecurityPolicy enforce, warn;
  bool labelled = false;  // `enforce` is by a label, not by the default
};
PodSecurity PodSecurityOf(const View& view, std::string_view ns);

// Where in an object of this resource its pods are: "" in a Pod, "spec.template" in what makes pods;
// nothing in all others.
std::optional<std::string> PodPathOf(std::string_view resource);

// What `policy` forbids of an object that has pods, but for what it had before as well: `old` is
// null for a new one. So what was stored under another policy can still be changed.
std::vector<manifests::Problem> PodSecurityProblems(std::string_view resource,
                                                    const base::Json& object, const Object* old,
                                                    const manifests::PodSecurityPolicy& policy);

// "to allow it: kubectl label namespace shop pod-security.kubernetes.io/enforce=privileged"
std::string HowToAllow(std::string_view ns, const PodSecurity& security);

// The default of a cluster. Data of before there was one has none: nothing is forbidden in it.
std::optional<manifests::PodSecurityLevel> DefaultPodSecurity(const View& view);
base::Status SetDefaultPodSecurity(Draft& draft, manifests::PodSecurityLevel level);
// When a server starts: what it was told, else baseline in new data. In older data what runs goes
// on until somebody asks for more.
base::Status SettlePodSecurity(Draft& draft, bool is_new,
                               std::optional<manifests::PodSecurityLevel> told);

inline constexpr char kUnconfinedSentence[] =
    "pods may ask anything of their nodes, because this data is older than pod security; plumb "
    "server --pod-security-default baseline has new ones refused that ask too much";
inline constexpr std::string_view kPodSecurityPrefix = "pod-security.kubernetes.io/";

}  // namespace state

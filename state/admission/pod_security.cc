// A pod that its namespace's policy forbids is refused; so is a label of a namespace that names no
// policy. A client that writes what makes such pods, or pods of which a policy only warns, or that
// asks more of a namespace than the pods in it keep to, is warned, as in Kubernetes. (A push of
// such a template is refused by its plan: its deploy could not succeed.)
#include "state/pod_security.h"

#include <algorithm>

#include "state/admission/admission.h"

namespace state {
namespace {

using manifests::Problem;

// Pods that are looked at when a namespace asks more of them.
constexpr size_t kMaxPodsJudged = 3000;

std::string ListOf(const std::vector<Problem>& problems) {
  std::string list;
  for (const Problem& problem : problems) {
    list += (list.empty() ? "" : "; ") + problem.field + ": " + problem.message;
  }
  return list;
}

std::string Violates(const manifests::PodSecurityPolicy& policy,
                     const std::vector<Problem>& problems) {
  return "violate PodSecurity \"" + ToString(policy) + "\": " + ListOf(problems);
}

bool HasReader(const AdmissionRequest& request) {
  return request.context.actor == nullptr || !request.context.actor->program;
}

base::Status JudgePod(const AdmissionRequest& request, const PodSecurity& security) {
  const std::vector<Problem> problems =
      PodSecurityProblems(request.key.resource, request.object, request.old, security.enforce);
  if (problems.empty()) return base::Status();
  const std::string allow = HowToAllow(request.key.ns, security);
  std::vector<base::Cause> causes;
  for (const Problem& problem : problems) {
    causes.push_back(
        {problem.reason,
         problem.message + " (Pod Security " + ToString(security.enforce) + "; " + allow + ")",
         problem.field});
  }
  return base::Status(base::Code::kForbidden,
                      "pods \"" + request.key.name + "\" is forbidden: violates PodSecurity \"" +
                          ToString(security.enforce) + "\": " + ListOf(problems) + "; " + allow,
                      std::move(causes));
}

void Warn(AdmissionRequest& request, const manifests::PodSecurityPolicy& policy) {
  const std::vector<Problem> problems =
      PodSecurityProblems(request.key.resource, request.object, request.old, policy);
  if (!problems.empty()) request.warnings.push_back("would " + Violates(policy, problems));
}

// The labels of a namespace, new and old.
class PodSecurityLabels {
 public:
  explicit PodSecurityLabels(const AdmissionRequest& request)
      : labels_(std::as_const(request.object)["metadata"]["labels"]), old_(request.old) {}

  std::vector<Problem> Problems() const {
    std::vector<Problem> problems;
    for (const std::string mode : {"enforce", "warn", "audit"}) {
      const std::string label = std::string(kPodSecurityPrefix) + mode;
      if (IsNew(label) && !manifests::ParsePodSecurityLevel(labels_[label].AsString())) {
        problems.push_back(Unreadable(label, "must be privileged, baseline or restricted"));
      }
      const std::string version = label + "-version";
      if (IsNew(version) && !manifests::ParsePodSecurityVersion(labels_[version].AsString())) {
        problems.push_back(Unreadable(version, "must be latest or a version like v1.35"));
      }
    }
    return problems;
  }

 private:
  bool IsNew(const std::string& label) const {
    const base::Json* value = labels_.Find(label);
    return value != nullptr &&
           (old_ == nullptr || old_->Meta("labels")[label].AsString() != value->AsString());
  }
  Problem Unreadable(const std::string& label, const std::string& message) const {
    return {"metadata.labels[" + label + "]", "FieldValueInvalid", message, labels_[label].mark};
  }

  const base::Json& labels_;
  const Object* const old_;
};

// What is in a namespace that asks more from now on stays; who changes it is told.
void WarnOfPods(AdmissionRequest& request) {
  View after = request.view;
  auto changed = std::make_shared<Object>();
  changed->key = request.key;
  changed->document = base::Document(request.object);
  after.Put(std::move(changed));
  const PodSecurity before = PodSecurityOf(request.view, request.key.name);
  const PodSecurity security = PodSecurityOf(after, request.key.name);
  if (security.enforce == before.enforce) return;
  size_t judged = 0, violating = 0;
  std::string first;
  for (const ObjectPtr& pod : request.view.List("pods", request.key.name)) {
    if (++judged > kMaxPodsJudged) break;
    const std::vector<Problem> problems =
        PodSecurityProblems("pods", pod->document.ToJson(), nullptr, security.enforce);
    if (problems.empty()) continue;
    if (++violating == 1) first = pod->key.name + ": " + ListOf(problems);
  }
  if (violating == 0) return;
  request.warnings.push_back(
      "existing pods in namespace \"" + request.key.name +
      "\" violate the new PodSecurity enforce level \"" + ToString(security.enforce) +
      "\": " + first +
      (violating > 1 ? " (and " + std::to_string(violating - 1) + " more)" : std::string()));
}

}  // namespace

base::Status AdmitPodSecurity(AdmissionRequest& request) {
  if (request.key.resource == "namespaces") {
    const std::vector<Problem> problems = PodSecurityLabels(request).Problems();
    if (!problems.empty()) return manifests::ToStatus(request.kind, request.key.name, problems);
    if (request.old != nullptr && HasReader(request)) WarnOfPods(request);
    return base::Status();
  }
  const std::optional<std::string> path = PodPathOf(request.key.resource);
  if (!path) return base::Status();
  const bool is_pod = path->empty();
  if (!is_pod && !HasReader(request)) return base::Status();
  const PodSecurity security = PodSecurityOf(request.view, request.key.ns);
  if (is_pod) {
    RETURN_IF_ERROR(JudgePod(request, security));
  } else {
    Warn(request, security.enforce);
  }
  const bool same = !is_pod && security.warn == security.enforce;
  if (HasReader(request) && !same) Warn(request, security.warn);
  return base::Status();
}

}  // namespace state

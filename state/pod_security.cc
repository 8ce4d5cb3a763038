// Rules (Kubernetes documentation, "Pod Security Admission"):
// - kube-system and plumb-system are exempt.
// - A label that cannot be read, which only older data has, counts as restricted where it enforces,
//   and for nothing where it warns; a version that cannot be read is the latest.
#include "state/pod_security.h"

#include <algorithm>

#include "manifests/kinds/kind_facts.h"
#include "manifests/walk.h"
#include "state/own_secrets.h"

namespace state {
namespace {

using manifests::PodSecurityLevel;
using manifests::PodSecurityPolicy;
using manifests::Problem;

constexpr std::string_view kPodSecurityDefault = "plumb.dev/pod-security-default";

// What the labels of a mode say; nothing if there is none.
std::optional<PodSecurityPolicy> ByLabel(base::Value labels, const std::string& mode,
                                         PodSecurityLevel unreadable) {
  const std::string label = std::string(kPodSecurityPrefix) + mode;
  const std::string_view level = labels[label].AsString();
  if (level.empty()) return std::nullopt;
  const std::string_view version = labels[label + "-version"].AsString("latest");
  return PodSecurityPolicy{
      manifests::ParsePodSecurityLevel(level).value_or(unreadable),
      manifests::ParsePodSecurityVersion(version).value_or(manifests::kLatestPodSecurity)};
}

const base::Json& PodIn(const base::Json& object, const std::string& path) {
  return path.empty() ? object : object["spec"]["template"];
}

}  // namespace

std::optional<PodSecurityLevel> DefaultPodSecurity(const View& view) {
  const ObjectPtr system = view.Get("namespaces", "", kSystemNamespace);
  if (system == nullptr) return std::nullopt;
  const base::Value level = system->Meta("annotations")[kPodSecurityDefault];
  if (!level.Exists()) return std::nullopt;
  return manifests::ParsePodSecurityLevel(level.AsString()).value_or(PodSecurityLevel::kBaseline);
}

base::Status SetDefaultPodSecurity(Draft& draft, PodSecurityLevel level) {
  const ObjectPtr system = draft.view().Get("namespaces", "", kSystemNamespace);
  if (system == nullptr || DefaultPodSecurity(draft.view()) == level) return base::Status();
  base::Json object = system->document.ToJson();
  const std::string name = manifests::ToString(PodSecurityPolicy{level});
  object["metadata"]["annotations"].Set(kPodSecurityDefault, name.substr(0, name.find(':')));
  return draft.Update(std::move(object)).status();
}

base::Status SettlePodSecurity(Draft& draft, bool is_new, std::optional<PodSecurityLevel> told) {
  if (!told && !is_new) return base::Status();
  return SetDefaultPodSecurity(draft, told.value_or(PodSecurityLevel::kBaseline));
}

PodSecurity PodSecurityOf(const View& view, std::string_view ns) {
  PodSecurity security;
  if (ns == "kube-system" || ns == kSystemNamespace) return security;
  security.enforce.level = DefaultPodSecurity(view).value_or(PodSecurityLevel::kPrivileged);
  const ObjectPtr object = view.Get("namespaces", "", ns);
  if (object == nullptr) return security;
  const base::Value labels = object->Meta("labels");
  const auto enforce = ByLabel(labels, "enforce", PodSecurityLevel::kRestricted);
  if (enforce) security.enforce = *enforce;
  security.labelled = enforce.has_value();
  security.warn =
      ByLabel(labels, "warn", PodSecurityLevel::kPrivileged).value_or(PodSecurityPolicy());
  return security;
}

std::optional<std::string> PodPathOf(std::string_view resource) {
  if (resource == "pods") return "";
  if (manifests::FactsOf(resource).pods == nullptr) return std::nullopt;
  return "spec.template";
}

std::vector<Problem> PodSecurityProblems(std::string_view resource, const base::Json& object,
                                         const Object* old, const PodSecurityPolicy& policy) {
  const std::optional<std::string> path = PodPathOf(resource);
  if (!path) return {};
  std::vector<Problem> problems = manifests::CheckPodSecurity(PodIn(object, *path), *path, policy);
  if (problems.empty() || old == nullptr) return problems;
  const base::Json before = old->document.ToJson();
  for (const Problem& known : manifests::CheckPodSecurity(PodIn(before, *path), *path, policy)) {
    std::erase_if(problems, [&](const Problem& each) {
      return each.field == known.field && each.message == known.message;
    });
  }
  return problems;
}

std::string HowToAllow(std::string_view ns, const PodSecurity& security) {
  return std::string("to allow it: kubectl label ") + (security.labelled ? "--overwrite " : "") +
         "namespace " + std::string(ns) + " " + std::string(kPodSecurityPrefix) +
         "enforce=privileged";
}

}  // namespace state

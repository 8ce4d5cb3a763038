#include "reconciler/daemon_pods.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/backoff.h"
#include "manifests/kinds/daemon_set.h"
#include "reconciler/owned_pods.h"
#include "reconciler/pods.h"
#include "reconciler/revisions.h"

namespace reconciler {
namespace {

constexpr std::string_view kFailuresAnnotation = "plumb.dev/failures-before";
constexpr base::Duration kFirstFailureRetry = base::Duration::Seconds(1);
constexpr base::Duration kMaxFailureRetry = base::Duration::Minutes(15);
constexpr base::Duration kLongLife = base::Duration::Minutes(10);

// In place of one for the same taint, which might bear it for a while only.
void Tolerate(base::Json& spec, const manifests::DaemonToleration& borne) {
  base::Json::Array& tolerations = spec["tolerations"].MutableElements();
  std::erase_if(tolerations, [&](const base::Json& each) {
    return each["key"].AsString() == borne.key && each["effect"].AsString() == borne.effect;
  });
  tolerations.push_back(base::Json::MakeObject(
      {{"key", borne.key}, {"operator", "Exists"}, {"effect", borne.effect}}));
}

// Instead of the template's required terms, which chose the node.
void BindTo(base::Json& spec, std::string_view node) {
  const base::Json term =
      base::Json::MakeObject({{"matchFields", base::Json::MakeArray({base::Json::MakeObject(
                                                  {{"key", "metadata.name"},
                                                   {"operator", "In"},
                                                   {"values", base::Json::MakeArray({node})}})})}});
  spec["affinity"]["nodeAffinity"].Set(
      "requiredDuringSchedulingIgnoredDuringExecution",
      base::Json::MakeObject({{"nodeSelectorTerms", base::Json::MakeArray({term})}}));
}

int64_t FailuresBefore(const state::Object& pod) {
  const std::string_view text = pod.Meta("annotations")[kFailuresAnnotation].AsString();
  int64_t failures = 0;
  std::from_chars(text.data(), text.data() + text.size(), failures);
  return failures;
}

// When its last container ended, or, if none says so, when it stopped being ready.
base::WallTime EndOf(const state::Object& pod) {
  base::WallTime end = std::max(TimeOf(pod.Meta("creationTimestamp")),
                                TimeOf(ConditionOf(pod["status"], "Ready")["lastTransitionTime"]));
  for (base::Value container : pod["status"]["containerStatuses"].Elements())
    end = std::max(end, TimeOf(container["state"]["terminated"]["finishedAt"]));
  return end;
}

bool LivedLong(const state::Object& pod) {
  return EndOf(pod) - TimeOf(pod.Meta("creationTimestamp")) >= kLongLife;
}

}  // namespace

base::Json DaemonPodFor(const state::Object& set, std::string_view node, std::string_view hash,
                        int64_t failures) {
  base::Json pod = PodFromTemplate(set, set["spec"]["template"]);
  base::Json& metadata = pod["metadata"];
  metadata["labels"].Set(kRevisionHashLabel, hash);
  if (failures > 0) metadata["annotations"].Set(kFailuresAnnotation, std::to_string(failures));
  base::Json& spec = pod["spec"];
  const bool host_network = std::as_const(spec)["hostNetwork"].AsBool();
  for (const manifests::DaemonToleration& borne : manifests::kDaemonTolerations) {
    if (host_network || !borne.host_network_only) Tolerate(spec, borne);
  }
  BindTo(spec, node);
  return pod;
}

std::string NodeOfDaemon(const state::Object& pod) {
  const std::string_view bound = pod["spec"]["nodeName"].AsString();
  if (!bound.empty()) return std::string(bound);
  const base::Value required =
      pod["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"];
  for (base::Value term : required["nodeSelectorTerms"].Elements()) {
    for (base::Value field : term["matchFields"].Elements()) {
      if (field["key"].AsString() == "metadata.name" && field["operator"].AsString() == "In")
        return std::string(field["values"].At(0).AsString());
    }
  }
  return "";
}

int64_t FailuresUpTo(const state::Object& pod) {
  return LivedLong(pod) ? 1 : FailuresBefore(pod) + 1;
}

base::Duration FailureLeft(const state::Object& pod, base::WallTime now) {
  const int64_t failures = FailuresUpTo(pod) - 1;
  if (failures <= 0) return base::Duration();
  const base::Backoff backoff(kFirstFailureRetry, kMaxFailureRetry);
  return EndOf(pod) + backoff.After(static_cast<uint32_t>(failures)) - now;
}

}  // namespace reconciler

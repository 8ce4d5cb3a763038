// A running pod is what it is: of its spec only the images of its containers, the deadline, the
// grace period and further tolerations can change. All else is done by making another pod. A pod
// that is not scheduled yet may also lose scheduling gates.
#include <algorithm>
#include <set>
#include <string>

#include "manifests/rules/pod.h"
#include "manifests/walk.h"

namespace manifests {
namespace {

using base::Json;

constexpr std::string_view kFree[] = {"activeDeadlineSeconds", "terminationGracePeriodSeconds",
                                      "tolerations", "schedulingGates"};

bool IsFree(std::string_view field) {
  return std::find(std::begin(kFree), std::end(kFree), field) != std::end(kFree);
}

// Containers with the images left out: what must be equal before and after.
Json WithoutImages(const Json& containers) {
  Json copy = containers;
  if (!copy.IsArray()) return copy;
  for (Json& container : copy.MutableElements()) container.Remove("image");
  return copy;
}

void CheckFixedFields(const Json& before, const Json& after, Report& report) {
  const auto check = [&](const std::string& field) {
    if (IsFree(field)) return;
    const Json& was = before[field];
    const Json& is = after[field];
    const bool is_containers = field == "containers" || field == "initContainers";
    const bool same = is_containers ? WithoutImages(was) == WithoutImages(is) : was == is;
    if (same) return;
    report.Forbidden("spec." + field,
                     "field is immutable in a pod that exists; only images, activeDeadlineSeconds, "
                     "terminationGracePeriodSeconds and further tolerations can change; delete the "
                     "pod and create it anew",
                     is.IsNull() ? after : is);
  };
  for (const auto& member : after.Members()) check(member.key);
  for (const auto& member : before.Members()) {
    if (!after.Has(member.key)) check(member.key);
  }
}

// Which taint it bears, in one text; for how long may change.
std::string WhichTaint(const Json& toleration) {
  Json rest = toleration;
  if (rest.IsObject()) rest.Remove("tolerationSeconds");
  return rest.ToString();
}

void CheckTolerations(const Json& before, const Json& after, const Json& spec, Report& report) {
  std::set<std::string> kept;
  for (const Json& toleration : after.Elements()) kept.insert(WhichTaint(toleration));
  for (const Json& toleration : before.Elements()) {
    if (kept.contains(WhichTaint(toleration))) continue;
    report.Forbidden("spec.tolerations",
                     "a toleration can be added to a pod, but not removed or changed",
                     after.IsNull() ? spec : after);
    return;
  }
}

void CheckGates(const Json& before, const Json& after, Report& report) {
  std::set<std::string_view> had;
  for (const Json& gate : before.Elements()) had.insert(gate["name"].AsString());
  for (const Json& gate : after.Elements()) {
    if (had.contains(gate["name"].AsString())) continue;
    report.Forbidden("spec.schedulingGates",
                     "a scheduling gate can be removed from a pod, but not added", after);
    return;
  }
}

void CheckDeadline(const Json& before, const Json& after, const Json& spec, Report& report) {
  if (before.IsNull()) return;
  if (!after.IsNull() && after.AsInt() <= before.AsInt()) return;
  report.Invalid("spec.activeDeadlineSeconds",
                 "a deadline can be made shorter, not removed or longer",
                 after.IsNull() ? spec : after);
}

}  // namespace

void CheckPodUpdate(const Json& before_object, const Json& after_object, Report& report) {
  const Json& before = before_object["spec"];
  const Json& after = after_object["spec"];
  CheckFixedFields(before, after, report);
  CheckTolerations(before["tolerations"], after["tolerations"], after, report);
  CheckGates(before["schedulingGates"], after["schedulingGates"], report);
  CheckDeadline(before["activeDeadlineSeconds"], after["activeDeadlineSeconds"], after, report);
}

}  // namespace manifests

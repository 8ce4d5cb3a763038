#include "manifests/kinds/cells.h"

#include <algorithm>
#include <set>

#include "manifests/kinds/conditions.h"
#include "manifests/kinds/pod.h"
#include "manifests/selector.h"

namespace manifests {
namespace {

using base::Json;
using base::Value;
using base::WallTime;

constexpr size_t kMaxListed = 3;  // ports and endpoints of a slice; "+ N more..." follows

std::string ContainerFields(Value object, std::string_view field) {
  std::vector<std::string> values;
  for (const Value container : PodSpecOf(object)["containers"].Elements()) {
    values.emplace_back(container[field].AsString());
  }
  return JoinCell(values);
}

Json TemplateContainers(Value object, WallTime) { return ContainerFields(object, "name"); }
Json TemplateImages(Value object, WallTime) { return ContainerFields(object, "image"); }

Json LabelSelectorText(Value object, WallTime) {
  const auto selector = LabelSelector::FromWorkload(object["spec"]["selector"]);
  if (!selector.ok()) return "<error>";
  return OrNone(selector->ToString());
}

Json DataCount(Value object, WallTime) {
  return static_cast<int64_t>(object["data"].size() + object["binaryData"].size());
}

Json ReadyStatus(Value object, WallTime) {
  return ConditionOf(object["status"], "Ready")["status"].AsString();
}
Json ReadyMessage(Value object, WallTime) {
  return ConditionOf(object["status"], "Ready")["message"].AsString();
}

constexpr NamedCell kShared[] = {
    {"dataCount", DataCount},
    {"labelSelector", LabelSelectorText},
    {"readyMessage", ReadyMessage},
    {"readyStatus", ReadyStatus},
    {"templateContainers", TemplateContainers},
    {"templateImages", TemplateImages},
};

// "3m10s", or "3m" when the second part is zero.
std::string TwoUnits(int64_t large, char large_unit, int64_t small, char small_unit) {
  std::string text = std::to_string(large) + large_unit;
  if (small != 0) text += std::to_string(small) + small_unit;
  return text;
}

}  // namespace

std::span<const NamedCell> SharedCells() { return kShared; }

std::string JoinCell(const std::vector<std::string>& parts, std::string_view separator) {
  std::string text;
  for (const std::string& part : parts) {
    if (!text.empty()) text += separator;
    text += part;
  }
  return text;
}

std::string FirstOfCell(std::vector<std::string> all) {
  if (all.empty()) return "<unset>";
  const size_t count = all.size();
  all.resize(std::min(count, kMaxListed));
  std::string text = JoinCell(all);
  if (count > kMaxListed) text += " + " + std::to_string(count - kMaxListed) + " more...";
  return text;
}

std::string LabelsCell(Value labels) {
  std::vector<std::string> parts;
  for (const auto& [key, value] : labels.Members()) {
    parts.push_back(std::string(key) + "=" + std::string(value.AsString()));
  }
  return OrNone(JoinCell(parts));
}

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return lower;
}

std::string OrNone(std::string text) { return text.empty() ? std::string(kNoneCell) : text; }

std::string HumanDuration(base::Duration age) {
  const int64_t seconds = age.seconds();
  if (seconds < -1) return "<invalid>";  // more than clocks may differ
  if (seconds < 2 * 60) return std::to_string(std::max<int64_t>(seconds, 0)) + "s";
  const int64_t minutes = seconds / 60;
  if (minutes < 10) return TwoUnits(minutes, 'm', seconds % 60, 's');
  if (minutes < 3 * 60) return std::to_string(minutes) + "m";
  const int64_t hours = minutes / 60;
  if (hours < 8) return TwoUnits(hours, 'h', minutes % 60, 'm');
  if (hours < 2 * 24) return std::to_string(hours) + "h";
  const int64_t days = hours / 24;
  if (days < 8) return TwoUnits(days, 'd', hours % 24, 'h');
  if (days < 2 * 365) return std::to_string(days) + "d";
  if (days < 8 * 365) return TwoUnits(days / 365, 'y', days % 365, 'd');
  return std::to_string(days / 365) + "y";
}

std::string AgeOf(std::string_view time, WallTime now) {
  const auto since = WallTime::Parse(time);
  if (!since.ok()) return "<unknown>";
  return HumanDuration(now - *since);
}

std::vector<std::string> LoadBalancerAddresses(Value object) {
  std::set<std::string> addresses;
  for (const Value ingress : object["status"]["loadBalancer"]["ingress"].Elements()) {
    const std::string_view ip = ingress["ip"].AsString();
    const std::string_view address = ip.empty() ? ingress["hostname"].AsString() : ip;
    if (!address.empty()) addresses.emplace(address);
  }
  return {addresses.begin(), addresses.end()};
}

}  // namespace manifests

#include <algorithm>

#include "manifests/kinds/cells.h"
#include "manifests/kinds/kind_facts.h"

namespace manifests {
namespace {

using base::Json;
using base::Value;
using base::WallTime;

std::string FirstSeen(Value event, WallTime now) {
  const std::string_view first = event["firstTimestamp"].AsString();
  return AgeOf(first.empty() ? event["eventTime"].AsString() : first, now);
}

Json EventFirstSeen(Value event, WallTime now) { return FirstSeen(event, now); }

Json EventLastSeen(Value event, WallTime now) {
  if (event["series"].IsObject()) return AgeOf(event["series"]["lastObservedTime"].AsString(), now);
  const std::string_view last = event["lastTimestamp"].AsString();
  return last.empty() ? FirstSeen(event, now) : AgeOf(last, now);
}

Json EventCount(Value event, WallTime) {
  if (event["series"].IsObject()) return event["series"]["count"].AsInt();
  return std::max<int64_t>(event["count"].AsInt(), 1);
}

Json EventObject(Value event, WallTime) {
  const Value about = event["involvedObject"];
  return LowerCase(about["kind"].AsString()) + "/" + std::string(about["name"].AsString());
}

Json EventSource(Value event, WallTime) {
  std::string_view component = event["source"]["component"].AsString();
  std::string_view instance = event["source"]["host"].AsString();
  if (component.empty()) component = event["reportingComponent"].AsString();
  if (instance.empty()) instance = event["reportingInstance"].AsString();
  if (instance.empty()) return component;
  return std::string(component) + ", " + std::string(instance);
}

Json EventMessage(Value event, WallTime) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::string_view message = event["message"].AsString();
  const size_t begin = message.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return "";
  return message.substr(begin, message.find_last_not_of(kSpace) - begin + 1);
}

constexpr NamedCell kCells[] = {
    {"eventCount", EventCount},       {"eventFirstSeen", EventFirstSeen},
    {"eventLastSeen", EventLastSeen}, {"eventMessage", EventMessage},
    {"eventObject", EventObject},     {"eventSource", EventSource},
};

}  // namespace

extern constinit const KindFacts kEventFacts = {
    .resource = "events",
    .judged = false,
    .cells = kCells,
};

}  // namespace manifests

// What a person expects to see in a column when no single field says it.
//
// Pods: STATUS is the phase, unless something says more: the status's reason (Evicted), closed
// scheduling gates, the first init container that has not done its part ("Init:..."), else the
// first container that waits or has ended with a reason. A pod with a running container is not
// "Completed". Deletion wins over all of it. Only terminal phases outlast deletion.
// RESTARTS counts the containers that restart in the stage the pod is in: init containers while it
// initializes, afterwards its containers and sidecars.
#include "state/api/columns.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "manifests/selector.h"

namespace state {
namespace {

using base::Json;
using base::Value;
using base::WallTime;

constexpr std::string_view kNone = "<none>";
constexpr std::string_view kUnknown = "<unknown>";
constexpr size_t kMaxListed = 3;  // ports and endpoints of a slice; "+ N more..." follows

std::string Text(std::string_view text) { return std::string(text); }

std::string Join(const std::vector<std::string>& parts, std::string_view separator = ",") {
  std::string text;
  for (const std::string& part : parts) {
    if (!text.empty()) text += separator;
    text += part;
  }
  return text;
}

std::string OrNone(std::string text) { return text.empty() ? Text(kNone) : text; }

Value FindBy(Value list, std::string_view key, std::string_view wanted) {
  for (const Value element : list.Elements()) {
    if (element[key].AsString() == wanted) return element;
  }
  return {};
}

Value Condition(const Object& object, std::string_view type) {
  return FindBy(object["status"]["conditions"], "type", type);
}

bool ConditionTrue(const Object& object, std::string_view type) {
  return Condition(object, type)["status"].AsString() == "True";
}

// Pods

struct PodSummary {
  int64_t containers = 0;  // those that run beside each other: sidecars included
  int64_t ready = 0;
  int64_t restarts = 0;
  std::string last_restart;  // RFC 3339; empty: none known
  std::string status;
};

bool IsSidecar(const Object& pod, std::string_view init_container) {
  return FindBy(pod["spec"]["initContainers"], "name", init_container)["restartPolicy"]
             .AsString() == "Always";
}

// Times of equal form and zone, so that text order is time order.
void KeepLater(std::string_view time, std::string& latest) {
  if (time > latest) latest = time;
}

std::string EndReason(Value terminated) {
  const std::string_view reason = terminated["reason"].AsString();
  if (!reason.empty()) return Text(reason);
  const int64_t signal = terminated["signal"].AsInt();
  if (signal != 0) return "Signal:" + std::to_string(signal);
  return "ExitCode:" + std::to_string(terminated["exitCode"].AsInt());
}

// Why the pod's init container number `index` holds it back; empty if it does not.
std::string HoldsBack(const Object& pod, Value container, bool sidecar, size_t index) {
  const Value terminated = container["state"]["terminated"];
  if (terminated.IsObject() && terminated["exitCode"].AsInt() == 0) return "";
  if (sidecar && container["started"].AsBool()) return "";
  if (terminated.IsObject()) return "Init:" + EndReason(terminated);
  const std::string_view waiting = container["state"]["waiting"]["reason"].AsString();
  if (!waiting.empty() && waiting != "PodInitializing") return "Init:" + Text(waiting);
  return "Init:" + std::to_string(index) + "/" +
         std::to_string(pod["spec"]["initContainers"].size());
}

// Returns whether the pod still initializes. Restarts of sidecars go to `sidecars` too.
bool SummarizeInit(const Object& pod, PodSummary& summary, PodSummary& sidecars) {
  size_t index = 0;
  for (const Value container : pod["status"]["initContainerStatuses"].Elements()) {
    const bool sidecar = IsSidecar(pod, container["name"].AsString());
    const int64_t restarts = container["restartCount"].AsInt();
    const std::string_view ended = container["lastState"]["terminated"]["finishedAt"].AsString();
    summary.restarts += restarts;
    KeepLater(ended, summary.last_restart);
    if (sidecar) {
      sidecars.restarts += restarts;
      KeepLater(ended, sidecars.last_restart);
    }
    std::string reason = HoldsBack(pod, container, sidecar, index++);
    if (!reason.empty()) {
      summary.status = std::move(reason);
      return true;
    }
    if (sidecar && container["ready"].AsBool() && !container["state"]["terminated"].IsObject()) {
      ++summary.ready;
    }
  }
  return false;
}

void SummarizeContainers(const Object& pod, PodSummary& summary) {
  bool running = false;
  std::string first_reason;
  for (const Value container : pod["status"]["containerStatuses"].Elements()) {
    summary.restarts += container["restartCount"].AsInt();
    KeepLater(container["lastState"]["terminated"]["finishedAt"].AsString(), summary.last_restart);
    const Value state = container["state"];
    std::string reason(state["waiting"]["reason"].AsString());
    if (reason.empty() && state["terminated"].IsObject()) reason = EndReason(state["terminated"]);
    if (reason.empty() && container["ready"].AsBool() && state["running"].IsObject()) {
      running = true;
      ++summary.ready;
    }
    if (first_reason.empty()) first_reason = std::move(reason);
  }
  if (!first_reason.empty()) summary.status = std::move(first_reason);
  if (summary.status == "Completed" && running) {
    summary.status = ConditionTrue(pod, "Ready") ? "Running" : "NotReady";
  }
}

PodSummary Summarize(const Object& pod) {
  const Value status = pod["status"];
  const std::string_view phase = status["phase"].AsString();
  const std::string_view reason = status["reason"].AsString();
  PodSummary summary;
  summary.status = reason.empty() ? phase : reason;
  if (Condition(pod, "PodScheduled")["reason"].AsString() == "SchedulingGated") {
    summary.status = "SchedulingGated";
  }
  summary.containers = static_cast<int64_t>(pod["spec"]["containers"].size());
  for (const Value container : pod["spec"]["initContainers"].Elements()) {
    if (container["restartPolicy"].AsString() == "Always") ++summary.containers;
  }
  PodSummary sidecars;
  const bool initializing = SummarizeInit(pod, summary, sidecars);
  if (!initializing || ConditionTrue(pod, "Initialized")) {
    summary.restarts = sidecars.restarts;
    summary.last_restart = std::move(sidecars.last_restart);
    SummarizeContainers(pod, summary);
  }
  if (pod.Deleting()) {
    if (reason == "NodeLost") {
      summary.status = "Unknown";
    } else if (phase != "Succeeded" && phase != "Failed") {
      summary.status = "Terminating";
    }
  }
  return summary;
}

Json PodReady(const Object& pod, WallTime) {
  const PodSummary summary = Summarize(pod);
  return std::to_string(summary.ready) + "/" + std::to_string(summary.containers);
}

Json PodStatus(const Object& pod, WallTime) { return Summarize(pod).status; }

Json PodRestarts(const Object& pod, WallTime now) {
  const PodSummary summary = Summarize(pod);
  std::string text = std::to_string(summary.restarts);
  if (summary.restarts != 0 && !summary.last_restart.empty()) {
    text += " (" + AgeOf(summary.last_restart, now) + " ago)";
  }
  return text;
}

Json PodReadinessGates(const Object& pod, WallTime) {
  int64_t gates = 0, passed = 0;
  for (const Value gate : pod["spec"]["readinessGates"].Elements()) {
    ++gates;
    if (ConditionTrue(pod, gate["conditionType"].AsString())) ++passed;
  }
  if (gates == 0) return kNone;
  return std::to_string(passed) + "/" + std::to_string(gates);
}

// Deployments and ReplicaSets

Json DeploymentReady(const Object& deployment, WallTime) {
  return std::to_string(deployment["status"]["readyReplicas"].AsInt()) + "/" +
         std::to_string(deployment["spec"]["replicas"].AsInt());
}

std::string ContainerFields(const Object& object, std::string_view field) {
  std::vector<std::string> values;
  for (const Value container : object["spec"]["template"]["spec"]["containers"].Elements()) {
    values.push_back(Text(container[field].AsString()));
  }
  return Join(values);
}

Json TemplateContainers(const Object& object, WallTime) { return ContainerFields(object, "name"); }
Json TemplateImages(const Object& object, WallTime) { return ContainerFields(object, "image"); }

Json LabelSelectorText(const Object& object, WallTime) {
  const auto selector = manifests::LabelSelector::FromWorkload(object["spec"]["selector"]);
  if (!selector.ok()) return "<error>";
  return OrNone(selector->ToString());
}

Json TemplateNodeSelector(const Object& object, WallTime) {
  std::vector<std::string> labels;
  for (const auto& [key, value] : object["spec"]["template"]["spec"]["nodeSelector"].Members()) {
    labels.push_back(Text(key) + "=" + Text(value.AsString()));
  }
  return OrNone(Join(labels));
}

// "daemonset.apps/web"
Json ControllerName(const Object& object, WallTime) {
  const Value owner = object.ControllerRef();
  if (!owner.Exists()) return kNone;
  std::string text;
  for (const char c : owner["kind"].AsString())
    text += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  const std::string_view version = owner["apiVersion"].AsString();
  const size_t slash = version.find('/');
  if (slash != version.npos) text += "." + Text(version.substr(0, slash));
  return text + "/" + Text(owner["name"].AsString());
}

// Services and EndpointSlices

std::vector<std::string> LoadBalancerAddresses(const Object& service) {
  std::set<std::string> addresses;
  for (const Value ingress : service["status"]["loadBalancer"]["ingress"].Elements()) {
    const std::string_view ip = ingress["ip"].AsString();
    const std::string_view address = ip.empty() ? ingress["hostname"].AsString() : ip;
    if (!address.empty()) addresses.insert(Text(address));
  }
  return {addresses.begin(), addresses.end()};
}

Json ServiceExternalIp(const Object& service, WallTime) {
  const std::string_view type = service["spec"]["type"].AsString();
  if (type == "ExternalName") return service["spec"]["externalName"].AsString();
  std::vector<std::string> addresses;
  if (type == "LoadBalancer") addresses = LoadBalancerAddresses(service);
  for (const Value ip : service["spec"]["externalIPs"].Elements()) {
    addresses.push_back(Text(ip.AsString()));
  }
  if (!addresses.empty()) return Join(addresses);
  return type == "LoadBalancer" ? "<pending>" : kNone;
}

Json ServicePorts(const Object& service, WallTime) {
  std::vector<std::string> ports;
  for (const Value port : service["spec"]["ports"].Elements()) {
    std::string text = std::to_string(port["port"].AsInt());
    const int64_t node_port = port["nodePort"].AsInt();
    if (node_port > 0) text += ":" + std::to_string(node_port);
    ports.push_back(text + "/" + Text(port["protocol"].AsString("TCP")));
  }
  return OrNone(Join(ports));
}

Json ServiceSelector(const Object& service, WallTime) {
  std::vector<std::string> labels;
  for (const auto& [key, value] : service["spec"]["selector"].Members()) {
    labels.push_back(Text(key) + "=" + Text(value.AsString()));
  }
  return OrNone(Join(labels));
}

std::string FirstOf(std::vector<std::string> all) {
  if (all.empty()) return "<unset>";
  const size_t count = all.size();
  all.resize(std::min(count, kMaxListed));
  std::string text = Join(all);
  if (count > kMaxListed) text += " + " + std::to_string(count - kMaxListed) + " more...";
  return text;
}

Json EndpointSlicePorts(const Object& slice, WallTime) {
  std::vector<std::string> ports;
  for (const Value port : slice["ports"].Elements()) {
    const int64_t number = port["port"].AsInt();
    const std::string_view name = port["name"].AsString();
    ports.push_back(number != 0 ? std::to_string(number) : Text(name.empty() ? "*" : name));
  }
  return FirstOf(std::move(ports));
}

Json EndpointSliceEndpoints(const Object& slice, WallTime) {
  std::vector<std::string> addresses;
  for (const Value endpoint : slice["endpoints"].Elements()) {
    for (const Value address : endpoint["addresses"].Elements()) {
      addresses.push_back(Text(address.AsString()));
    }
  }
  return FirstOf(std::move(addresses));
}

// Nodes

Json NodeStatus(const Object& node, WallTime) {
  const Value ready = Condition(node, "Ready");
  std::string text = "Unknown";
  if (ready.IsObject()) text = ready["status"].AsString() == "True" ? "Ready" : "NotReady";
  if (node["spec"]["unschedulable"].AsBool()) text += ",SchedulingDisabled";
  return text;
}

Json NodeRoles(const Object& node, WallTime) {
  constexpr std::string_view kPrefix = "node-role.kubernetes.io/";
  std::set<std::string> roles;
  for (const auto& [key, value] : node.Labels().Members()) {
    if (key.starts_with(kPrefix) && key.size() > kPrefix.size()) {
      roles.insert(Text(key.substr(kPrefix.size())));
    } else if (key == "kubernetes.io/role" && !value.AsString().empty()) {
      roles.insert(Text(value.AsString()));
    }
  }
  return OrNone(Join({roles.begin(), roles.end()}));
}

Json NodeAddress(const Object& node, std::string_view type) {
  const Value address = FindBy(node["status"]["addresses"], "type", type);
  return address["address"].AsString(kNone);
}
Json NodeInternalIp(const Object& node, WallTime) { return NodeAddress(node, "InternalIP"); }
Json NodeExternalIp(const Object& node, WallTime) { return NodeAddress(node, "ExternalIP"); }

// Events

std::string FirstSeen(const Object& event, WallTime now) {
  const std::string_view first = event["firstTimestamp"].AsString();
  return AgeOf(first.empty() ? event["eventTime"].AsString() : first, now);
}

Json EventFirstSeen(const Object& event, WallTime now) { return FirstSeen(event, now); }

Json EventLastSeen(const Object& event, WallTime now) {
  if (event["series"].IsObject()) return AgeOf(event["series"]["lastObservedTime"].AsString(), now);
  const std::string_view last = event["lastTimestamp"].AsString();
  return last.empty() ? FirstSeen(event, now) : AgeOf(last, now);
}

Json EventCount(const Object& event, WallTime) {
  if (event["series"].IsObject()) return event["series"]["count"].AsInt();
  return std::max<int64_t>(event["count"].AsInt(), 1);
}

Json EventObject(const Object& event, WallTime) {
  const Value about = event["involvedObject"];
  std::string text;
  for (const char c : about["kind"].AsString()) {
    text += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return text + "/" + Text(about["name"].AsString());
}

Json EventSource(const Object& event, WallTime) {
  std::string_view component = event["source"]["component"].AsString();
  std::string_view instance = event["source"]["host"].AsString();
  if (component.empty()) component = event["reportingComponent"].AsString();
  if (instance.empty()) instance = event["reportingInstance"].AsString();
  if (instance.empty()) return component;
  return Text(component) + ", " + Text(instance);
}

Json EventMessage(const Object& event, WallTime) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::string_view message = event["message"].AsString();
  const size_t begin = message.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return "";
  return message.substr(begin, message.find_last_not_of(kSpace) - begin + 1);
}

// The others

Json DataCount(const Object& object, WallTime) {
  return static_cast<int64_t>(object["data"].size() + object["binaryData"].size());
}

Json SecretCount(const Object& account, WallTime) {
  return static_cast<int64_t>(account["secrets"].size());
}

// "cpu: 1/2, pods: 3/10" of the resources that are limits, or of those that are not.
std::string QuotaUse(const Object& quota, bool limits) {
  std::vector<std::string> parts;
  for (const auto& [name, hard] : quota["status"]["hard"].Members()) {
    if (name.starts_with("limits.") != limits) continue;
    parts.push_back(Text(name) + ": " + Text(quota["status"]["used"][name].AsString("0")) + "/" +
                    Text(hard.AsString()));
  }
  return Join(parts, ", ");
}
Json QuotaRequests(const Object& quota, WallTime) { return QuotaUse(quota, false); }
Json QuotaLimits(const Object& quota, WallTime) { return QuotaUse(quota, true); }

Json ReadyStatus(const Object& object, WallTime) {
  return Condition(object, "Ready")["status"].AsString();
}
Json ReadyMessage(const Object& object, WallTime) {
  return Condition(object, "Ready")["message"].AsString();
}

struct NamedRule {
  std::string_view name;
  CellRule rule;
};
constexpr NamedRule kRules[] = {
    {"controllerName", ControllerName},
    {"dataCount", DataCount},
    {"deploymentReady", DeploymentReady},
    {"endpointSliceEndpoints", EndpointSliceEndpoints},
    {"endpointSlicePorts", EndpointSlicePorts},
    {"eventCount", EventCount},
    {"eventFirstSeen", EventFirstSeen},
    {"eventLastSeen", EventLastSeen},
    {"eventMessage", EventMessage},
    {"eventObject", EventObject},
    {"eventSource", EventSource},
    {"labelSelector", LabelSelectorText},
    {"nodeExternalIP", NodeExternalIp},
    {"nodeInternalIP", NodeInternalIp},
    {"nodeRoles", NodeRoles},
    {"nodeStatus", NodeStatus},
    {"podReadinessGates", PodReadinessGates},
    {"podReady", PodReady},
    {"podRestarts", PodRestarts},
    {"podStatus", PodStatus},
    {"quotaLimits", QuotaLimits},
    {"quotaRequests", QuotaRequests},
    {"readyMessage", ReadyMessage},
    {"readyStatus", ReadyStatus},
    {"secretCount", SecretCount},
    {"serviceExternalIP", ServiceExternalIp},
    {"servicePorts", ServicePorts},
    {"serviceSelector", ServiceSelector},
    {"templateContainers", TemplateContainers},
    {"templateImages", TemplateImages},
    {"templateNodeSelector", TemplateNodeSelector},
};

// "3m10s", or "3m" when the second part is zero.
std::string TwoUnits(int64_t large, char large_unit, int64_t small, char small_unit) {
  std::string text = std::to_string(large) + large_unit;
  if (small != 0) text += std::to_string(small) + small_unit;
  return text;
}

}  // namespace

CellRule FindCellRule(std::string_view name) {
  for (const NamedRule& named : kRules) {
    if (named.name == name) return named.rule;
  }
  return nullptr;
}

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
  if (!since.ok()) return Text(kUnknown);
  return HumanDuration(now - *since);
}

}  // namespace state

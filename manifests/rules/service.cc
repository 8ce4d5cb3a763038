// A Service needs ports, unless it is headless (clusterIP None) or only a name for another
// (ExternalName). With several ports each has a name. The cluster IP, once given, stays for the
// Service's life; a change to or from ExternalName may drop or gain it. Endpoints and external
// addresses are of hosts: what means the node itself, its network or many is refused.
#include "manifests/rules/service.h"

#include <set>
#include <string>

#include "manifests/rules/edit.h"
#include "manifests/rules/metadata.h"
#include "manifests/syntax.h"
#include "manifests/walk.h"

namespace manifests {
namespace {

using base::Json;

constexpr int64_t kAffinitySeconds = 10'800;  // three hours
constexpr size_t kMaxEndpoints = 1000;        // of one slice
constexpr size_t kMaxEndpointPorts = 100;     // of one slice

bool IsIp(std::string_view text) { return !CheckFormat("ip", text); }

void CheckPorts(const Json& spec, Report& report) {
  const Json& ports = spec["ports"];
  const bool headless = spec["clusterIP"].AsString() == "None";
  const bool external = spec["type"].AsString() == "ExternalName";
  if (ports.empty() && !headless && !external) {
    report.Required("spec.ports", "a Service needs at least one port", spec);
  }
  std::set<std::string_view> names;
  std::set<std::string> node_ports;
  size_t index = 0;
  for (const Json& port : ports.Elements()) {
    const std::string at = Join("spec.ports", index++);
    const Json& name = port["name"];
    if (name.AsString().empty()) {
      if (ports.size() > 1) {
        report.Required(at + ".name", "each of several ports needs a name", port);
      }
    } else if (!names.insert(name.AsString()).second) {
      report.Duplicate(at + ".name", "the name " + std::string(name.AsString()) + " is used twice",
                       name);
    }
    const Json& node_port = port["nodePort"];
    if (node_port.AsInt() == 0) continue;
    if (spec["type"].AsString("ClusterIP") == "ClusterIP") {
      report.Forbidden(at + ".nodePort", "needs the type NodePort or LoadBalancer", node_port);
    }
    const std::string key =
        std::string(port["protocol"].AsString("TCP")) + std::to_string(node_port.AsInt());
    if (!node_ports.insert(key).second) {
      report.Duplicate(at + ".nodePort", "is used twice", node_port);
    }
  }
}

void CheckAddresses(const Json& spec, Report& report) {
  const Json& cluster_ip = spec["clusterIP"];
  const std::string_view address = cluster_ip.AsString();
  const bool external = spec["type"].AsString() == "ExternalName";
  if (!address.empty() && external) {
    report.Forbidden("spec.clusterIP", "an ExternalName Service has none; remove this field",
                     cluster_ip);
  } else if (!address.empty() && address != "None" && !IsIp(address)) {
    report.Invalid("spec.clusterIP", "must be None or an IP address; leave it out to be given one",
                   cluster_ip);
  }
  const Json& all = spec["clusterIPs"];
  if (!all.empty() && all.At(0).AsString() != address) {
    report.Invalid("spec.clusterIPs", "the first must be the clusterIP", all);
  }
  if (address == "None" && spec["type"].AsString() == "NodePort") {
    report.Invalid("spec.clusterIP", "a NodePort Service cannot be headless", cluster_ip);
  }
}

void CheckExternalName(const Json& spec, Report& report) {
  const bool external = spec["type"].AsString() == "ExternalName";
  const Json& name = spec["externalName"];
  if (!external) return;
  if (name.AsString().empty()) {
    report.Required("spec.externalName", "an ExternalName Service needs the name it stands for",
                    spec);
    return;
  }
  std::string_view text = name.AsString();
  if (text.ends_with('.')) text.remove_suffix(1);
  if (auto complaint = CheckFormat("dns1123subdomain", text)) {
    report.Invalid("spec.externalName", *complaint, name);
  }
}

bool IsExternalName(const Json& object) {
  return object["spec"]["type"].AsString() == "ExternalName";
}

void CheckEndpointAddress(const Json& address, std::string_view type, const std::string& path,
                          Report& report) {
  const std::string_view text = address.AsString();
  const bool is_v6 = text.find(':') != std::string_view::npos;
  if (type == "FQDN") {
    if (auto complaint = CheckFormat("dns1123subdomain", text)) {
      report.Invalid(path, *complaint, address);
    }
  } else if (!IsIp(text) || is_v6 != (type == "IPv6")) {
    report.Invalid(path, "must be an " + std::string(type) + " address, as addressType says",
                   address);
  } else if (const std::string_view why = WhySpecial(text); !why.empty()) {
    report.Invalid(path, std::string(text) + " " + std::string(why) + "; name one of a host",
                   address);
  }
}

void CheckExternalIps(const Json& addresses, Report& report) {
  size_t index = 0;
  for (const Json& address : addresses.Elements()) {
    const std::string at = Join("spec.externalIPs", index++);
    const std::string_view why = WhySpecial(address.AsString());
    if (why.empty()) continue;
    report.Invalid(
        at, std::string(address.AsString()) + " " + std::string(why) + "; name one of a host",
        address);
  }
}

}  // namespace

void CheckService(const Json& object, Report& report) {
  const Json& spec = object["spec"];
  if (!spec.IsObject()) return;
  CheckPorts(spec, report);
  CheckAddresses(spec, report);
  CheckExternalName(spec, report);
  CheckExternalIps(spec["externalIPs"], report);
  CheckLabels(spec["selector"], "spec.selector", report);
  const Json& config = spec["sessionAffinityConfig"];
  if (!config.IsNull() && spec["sessionAffinity"].AsString() != "ClientIP") {
    report.Forbidden("spec.sessionAffinityConfig", "needs sessionAffinity ClientIP", config);
  }
  const Json& policy = spec["externalTrafficPolicy"];
  const std::string_view type = spec["type"].AsString("ClusterIP");
  if (!policy.AsString().empty() && type != "NodePort" && type != "LoadBalancer" &&
      spec["externalIPs"].empty()) {
    report.Invalid("spec.externalTrafficPolicy", "needs the type NodePort or LoadBalancer", policy);
  }
}

void CheckServiceUpdate(const Json& before, const Json& after, Report& report) {
  if (IsExternalName(before) || IsExternalName(after)) return;
  const Json& was = before["spec"]["clusterIP"];
  const Json& is = after["spec"]["clusterIP"];
  // Left out means: as it is.
  if (was.AsString().empty() || is.AsString().empty() || was == is) return;
  report.Invalid("spec.clusterIP",
                 "field is immutable; it is " + std::string(was.AsString()) +
                     "; delete the Service and create it anew to change it",
                 is);
}

void DefaultService(Json& object) {
  Json* spec = ObjectAt(object, "spec");
  if (spec == nullptr) return;
  ForEachObject(*spec, "ports", [](Json& port) {
    const Json number = std::as_const(port)["port"];
    const Json& target = std::as_const(port)["targetPort"];
    const bool unset = target.IsNull() || (target.IsInt() && target.AsInt() == 0) ||
                       (target.IsString() && target.AsString().empty());
    if (number.IsInt() && unset) port.Set("targetPort", number);
  });
  const std::string type(std::as_const(*spec)["type"].AsString("ClusterIP"));
  if (std::as_const(*spec)["sessionAffinity"].AsString() == "ClientIP") {
    SetIfAbsent(
        *spec, "sessionAffinityConfig",
        Json::MakeObject({{"clientIP", Json::MakeObject({{"timeoutSeconds", kAffinitySeconds}})}}));
  }
  if (type == "NodePort" || type == "LoadBalancer") {
    SetIfAbsent(*spec, "externalTrafficPolicy", "Cluster");
  }
  if (type == "LoadBalancer") SetIfAbsent(*spec, "allocateLoadBalancerNodePorts", true);
  if (type == "ExternalName") return;
  SetIfAbsent(*spec, "internalTrafficPolicy", "Cluster");
  SetIfAbsent(*spec, "ipFamilies", Json::MakeArray({"IPv4"}));
  SetIfAbsent(*spec, "ipFamilyPolicy", "SingleStack");
}

void CheckEndpointSlice(const Json& object, Report& report) {
  const std::string_view type = object["addressType"].AsString();
  const Json& endpoints = object["endpoints"];
  const Json& ports = object["ports"];
  if (endpoints.size() > kMaxEndpoints) {
    report.TooLong("endpoints", "a slice holds at most 1000 endpoints; use several", endpoints);
  }
  if (ports.size() > kMaxEndpointPorts) {
    report.TooLong("ports", "a slice holds at most 100 ports", ports);
  }
  std::set<std::string_view> names;
  size_t index = 0;
  for (const Json& port : ports.Elements()) {
    const Json& name = port["name"];
    const std::string at = Join("ports", index++) + ".name";
    if (names.insert(name.AsString()).second) continue;
    report.Duplicate(at, "each port needs a name of its own", port);
  }
  index = 0;
  for (const Json& endpoint : endpoints.Elements()) {
    const std::string at = Join("endpoints", index++) + ".addresses";
    size_t address_index = 0;
    for (const Json& address : endpoint["addresses"].Elements()) {
      CheckEndpointAddress(address, type, Join(at, address_index++), report);
    }
  }
}

}  // namespace manifests

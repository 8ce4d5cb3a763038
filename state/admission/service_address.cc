// A Service's clusterIP and nodePorts come from the cluster's ranges. The search starts at a place
// that follows from the Service's name, so that a Service which is deleted and made again usually
// gets its old address, and goes round once. The first and last ten addresses of the range are left
// to the cluster itself (the tenth is DNS).
#include <set>

#include "base/hash.h"
#include "base/ip.h"
#include "state/admission/admission.h"

namespace state {
namespace {

constexpr uint32_t kReserved = 10;

// Whether another Service has this address or node port.
bool IsTaken(const AdmissionRequest& request, std::string_view what) {
  for (const ObjectPtr& service : request.view.Lookup(Index::kTaken, what))
    if (service->key != request.key) return true;
  return false;
}

base::Status Refuse(const AdmissionRequest& request, const std::string& field,
                    const std::string& what) {
  return base::Status(base::Code::kInvalid,
                      "Service \"" + request.key.name + "\" is invalid: " + field + ": " + what,
                      {base::Cause{"FieldValueInvalid", what, field}});
}

base::Status AssignAddress(AdmissionRequest& request, base::Json& spec) {
  ASSIGN_OR_RETURN(const base::Cidr range, base::Cidr::Parse(request.context.config->service_cidr));
  std::string address(spec["clusterIP"].AsString());
  if (address == "None") {
    spec.Set("clusterIPs", base::Json::MakeArray({"None"}));
    return base::Status();
  }
  if (address.empty()) {
    const uint32_t usable = static_cast<uint32_t>(range.size()) - 2 * kReserved;
    const uint32_t start = base::Crc32c(request.key.ToString()) % usable;
    for (uint32_t i = 0; i < usable && address.empty(); ++i) {
      const std::string candidate =
          base::FormatIpv4(range.first() + kReserved + 1 + (start + i) % usable);
      if (!IsTaken(request, candidate)) address = candidate;
    }
    if (address.empty()) {
      return base::Status(base::Code::kForbidden, "no address is free in the service range " +
                                                      request.context.config->service_cidr +
                                                      "; delete unused Services");
    }
  } else {
    const base::Result<uint32_t> ip = base::ParseIpv4(address);
    if (!ip.ok()) return Refuse(request, "spec.clusterIP", std::string(ip.status().message()));
    if (!range.Contains(*ip)) {
      return Refuse(
          request, "spec.clusterIP",
          address + " is outside the service range " + request.context.config->service_cidr);
    }
    if (IsTaken(request, address)) return Refuse(request, "spec.clusterIP", address + " is taken");
  }
  spec.Set("clusterIP", address);
  spec.Set("clusterIPs", base::Json::MakeArray({address}));
  return base::Status();
}

base::Status AssignNodePorts(AdmissionRequest& request, base::Json& spec) {
  const ClusterConfig& config = *request.context.config;
  base::Json* ports = spec.Find("ports");
  if (ports == nullptr || !ports->IsArray()) return base::Status();
  std::set<int64_t> own;
  const auto is_taken = [&](int64_t port) {
    return own.contains(port) || IsTaken(request, std::to_string(port));
  };
  for (base::Json& port : ports->MutableElements()) {
    if (!port.IsObject()) continue;
    int64_t wanted = std::as_const(port)["nodePort"].AsInt();
    if (wanted != 0 && is_taken(wanted)) {
      return Refuse(request, "spec.ports.nodePort", std::to_string(wanted) + " is taken");
    }
    if (wanted != 0 && (wanted < config.node_port_first || wanted > config.node_port_last)) {
      return Refuse(request, "spec.ports.nodePort",
                    std::to_string(wanted) + " is outside the range " +
                        std::to_string(config.node_port_first) + "-" +
                        std::to_string(config.node_port_last));
    }
    const int64_t usable = config.node_port_last - config.node_port_first + 1;
    const std::string name = request.key.ToString() + "/" + std::as_const(port)["port"].ToString();
    const int64_t start = static_cast<int64_t>(base::Crc32c(name)) % usable;
    for (int64_t i = 0; i < usable && wanted == 0; ++i) {
      const int64_t candidate = config.node_port_first + (start + i) % usable;
      if (!is_taken(candidate)) wanted = candidate;
    }
    if (wanted == 0)
      return base::Status(base::Code::kForbidden, "no node port is free; delete unused Services");
    own.insert(wanted);
    port.Set("nodePort", wanted);
  }
  return base::Status();
}

}  // namespace

base::Status AdmitServiceAddress(AdmissionRequest& request) {
  if (request.key.resource != "services" || !request.object["spec"].IsObject())
    return base::Status();
  base::Json& spec = request.object["spec"];
  const std::string type(std::as_const(spec)["type"].AsString());
  if (type == "ExternalName") return base::Status();
  if (request.old != nullptr && std::as_const(spec)["clusterIP"].AsString().empty()) {
    // A manifest rarely names the address: the object keeps what it has.
    spec.Set("clusterIP", (*request.old)["spec"]["clusterIP"].AsString());
  }
  RETURN_IF_ERROR(AssignAddress(request, spec));
  if (type != "NodePort" && type != "LoadBalancer") return base::Status();
  if (request.old != nullptr && spec["ports"].IsArray()) {
    for (base::Json& port : spec["ports"].MutableElements()) {
      if (!port.IsObject() || std::as_const(port)["nodePort"].AsInt() != 0) continue;
      for (base::Value before : (*request.old)["spec"]["ports"].Elements()) {
        if (before["port"].AsInt() == std::as_const(port)["port"].AsInt() &&
            before["protocol"].AsString() == std::as_const(port)["protocol"].AsString() &&
            before["nodePort"].AsInt() != 0) {
          port.Set("nodePort", before["nodePort"].AsInt());
        }
      }
    }
  }
  return AssignNodePorts(request, spec);
}

}  // namespace state

// A Service's clusterIP and nodePorts come from the cluster's ranges. The search starts at a place
// that follows from the Service's name, so that a Service which is deleted and made again usually
// gets its old address, and goes round once. The first and last ten addresses of the range are left
// to the cluster itself (the tenth is DNS): nobody else gets one, not even by name.
//
// A node port is one of a protocol: TCP and UDP of one number are two.
#include <map>
#include <set>
#include <string>
#include <utility>

#include "base/hash.h"
#include "base/ip.h"
#include "state/admission/admission.h"
#include "state/service_range.h"

namespace state {
namespace {

using ProtocolPort = std::pair<std::string, int64_t>;

constexpr std::string_view kControllers = "plumb-controllers";

std::string ProtocolOf(const base::Json& port) {
  return std::string(port["protocol"].AsString("TCP"));
}

bool IsAddressTaken(const AdmissionRequest& request, std::string_view address) {
  for (const ObjectPtr& service : request.view.Lookup(Index::kTaken, address))
    if (service->key != request.key) return true;
  return false;
}

bool IsPortTaken(const AdmissionRequest& request, const ProtocolPort& wanted) {
  const auto& [protocol, number] = wanted;
  const std::string text = std::to_string(number);
  for (const ObjectPtr& service : request.view.Lookup(Index::kTaken, text)) {
    if (service->key == request.key) continue;
    for (base::Value port : (*service)["spec"]["ports"].Elements()) {
      if (port["nodePort"].AsInt() == number && port["protocol"].AsString("TCP") == protocol)
        return true;
    }
  }
  return false;
}

base::Status Refuse(const AdmissionRequest& request, const std::string& field,
                    const std::string& what) {
  return base::Status(base::Code::kInvalid,
                      "Service \"" + request.key.name + "\" is invalid: " + field + ": " + what,
                      {base::Cause{"FieldValueInvalid", what, field}});
}

// What another has is refused, or left for the end of the draft to judge.
base::Status RefuseTaken(const AdmissionRequest& request, const std::string& field,
                         const std::string& what) {
  if (request.doubt == nullptr) return Refuse(request, field, what + " is taken");
  *request.doubt = true;
  return base::Status();
}

// Plumb's own, or of a Service that has it since a time when this was not refused.
bool MayHaveReserved(const AdmissionRequest& request, const base::Cidr& range, uint32_t ip,
                     std::string_view address) {
  if (request.old != nullptr && (*request.old)["spec"]["clusterIP"].AsString() == address)
    return true;
  const ActorPtr& actor = request.context.actor;
  const bool plumb = actor == nullptr || (actor->program && actor->manager == kControllers);
  return plumb && IsApiAddress(range, ip, request.key.ns, request.key.name);
}

base::Status CheckAddress(const AdmissionRequest& request, const base::Cidr& range,
                          const std::string& address) {
  const std::string field = "spec.clusterIP";
  const base::Result<uint32_t> ip = base::ParseIpv4(address);
  if (!ip.ok()) return Refuse(request, field, std::string(ip.status().message()));
  if (!range.Contains(*ip)) {
    return Refuse(
        request, field,
        address + " is outside the service range " + request.context.config->service_cidr);
  }
  if (IsReservedAddress(range, *ip) && !MayHaveReserved(request, range, *ip, address)) {
    return Refuse(request, field,
                  address + " is reserved for the cluster itself, as are the first and last " +
                      std::to_string(kReservedServiceAddresses) + " addresses of " +
                      request.context.config->service_cidr +
                      "; leave the field out, or choose another");
  }
  return IsAddressTaken(request, address) ? RefuseTaken(request, field, address) : base::Status();
}

base::Status AssignAddress(AdmissionRequest& request, base::Json& spec) {
  ASSIGN_OR_RETURN(const base::Cidr range, base::Cidr::Parse(request.context.config->service_cidr));
  std::string address(spec["clusterIP"].AsString());
  if (address == "None") {
    spec.Set("clusterIPs", base::Json::MakeArray({"None"}));
    return base::Status();
  }
  if (!address.empty()) {
    RETURN_IF_ERROR(CheckAddress(request, range, address));
  } else {
    const uint32_t usable = static_cast<uint32_t>(range.size()) - 2 * kReservedServiceAddresses;
    const uint32_t start = base::Crc32c(request.key.ToString()) % usable;
    for (uint32_t i = 0; i < usable && address.empty(); ++i) {
      const std::string candidate =
          base::FormatIpv4(range.first() + kReservedServiceAddresses + 1 + (start + i) % usable);
      if (!IsAddressTaken(request, candidate)) address = candidate;
    }
    if (address.empty()) {
      return base::Status(base::Code::kForbidden, "no address is free in the service range " +
                                                      request.context.config->service_cidr +
                                                      "; delete unused Services");
    }
  }
  spec.Set("clusterIP", address);
  spec.Set("clusterIPs", base::Json::MakeArray({address}));
  return base::Status();
}

base::Status CheckNodePort(const AdmissionRequest& request, const ProtocolPort& wanted,
                           const std::string& field) {
  const ClusterConfig& config = *request.context.config;
  const std::string number = std::to_string(wanted.second);
  if (wanted.second < config.node_port_first || wanted.second > config.node_port_last) {
    return Refuse(request, field,
                  number + " is outside the range " + std::to_string(config.node_port_first) + "-" +
                      std::to_string(config.node_port_last));
  }
  return IsPortTaken(request, wanted) ? RefuseTaken(request, field, number) : base::Status();
}

// 0 if none is free. Two ports of one number look from the same place on, so that TCP and UDP of
// one usually get one node port.
int64_t FreeNodePort(const AdmissionRequest& request, const base::Json& port,
                     const std::set<ProtocolPort>& own) {
  const ClusterConfig& config = *request.context.config;
  const int64_t usable = config.node_port_last - config.node_port_first + 1;
  const std::string name = request.key.ToString() + "/" + port["port"].ToString();
  const int64_t start = static_cast<int64_t>(base::Crc32c(name)) % usable;
  for (int64_t i = 0; i < usable; ++i) {
    const ProtocolPort candidate{ProtocolOf(port), config.node_port_first + (start + i) % usable};
    if (!own.contains(candidate) && !IsPortTaken(request, candidate)) return candidate.second;
  }
  return 0;
}

// Of each port that does not name one and had one, by number and protocol.
void KeepNodePorts(base::Value before, base::Json& spec) {
  base::Json* ports = spec.Find("ports");
  if (ports == nullptr || !ports->IsArray()) return;
  std::set<ProtocolPort> named;  // what another of the ports has now is not given back
  for (const base::Json& port : std::as_const(*ports).Elements())
    named.emplace(ProtocolOf(port), port["nodePort"].AsInt());
  std::map<ProtocolPort, int64_t> had;
  for (base::Value port : before.Elements()) {
    const std::string protocol(port["protocol"].AsString("TCP"));
    const int64_t number = port["nodePort"].AsInt();
    if (number != 0 && !named.contains({protocol, number}))
      had.emplace(ProtocolPort(protocol, port["port"].AsInt()), number);
  }
  for (base::Json& port : ports->MutableElements()) {
    if (!port.IsObject() || std::as_const(port)["nodePort"].AsInt() != 0) continue;
    const auto known = had.find({ProtocolOf(port), std::as_const(port)["port"].AsInt()});
    if (known != had.end()) port.Set("nodePort", known->second);
  }
}

base::Status AssignNodePorts(AdmissionRequest& request, base::Json& spec) {
  base::Json* ports = spec.Find("ports");
  if (ports == nullptr || !ports->IsArray()) return base::Status();
  std::set<ProtocolPort> own;
  for (const base::Json& port : std::as_const(*ports).Elements()) {
    if (port["nodePort"].AsInt() != 0) own.emplace(ProtocolOf(port), port["nodePort"].AsInt());
  }
  size_t index = 0;
  for (base::Json& port : ports->MutableElements()) {
    const std::string field = "spec.ports[" + std::to_string(index++) + "].nodePort";
    if (!port.IsObject()) continue;
    const int64_t wanted = std::as_const(port)["nodePort"].AsInt();
    if (wanted != 0) {
      RETURN_IF_ERROR(CheckNodePort(request, {ProtocolOf(port), wanted}, field));
      continue;
    }
    const int64_t free = FreeNodePort(request, port, own);
    if (free == 0)
      return base::Status(base::Code::kForbidden, "no node port is free; delete unused Services");
    own.emplace(ProtocolOf(port), free);
    port.Set("nodePort", free);
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
  if (request.old != nullptr) KeepNodePorts((*request.old)["spec"]["ports"], spec);
  return AssignNodePorts(request, spec);
}

}  // namespace state

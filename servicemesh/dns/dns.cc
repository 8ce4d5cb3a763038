// Names below the cluster's domain Z (case does not matter):
//
//   dns-version.Z                    TXT
//   SERVICE.NS.svc.Z                 A: cluster IPs; headless: each ready endpoint; ExternalName:
//   CNAME HOSTNAME.SERVICE.NS.svc.Z        A of a ready endpoint of a headless service
//   _PORT._PROTO.SERVICE.NS.svc.Z    SRV of a named port: to the service, or to each ready endpoint
//   A-B-C-D.NS.pod.Z                 A, if the address is a pod's
//   D.C.B.A.in-addr.arpa             PTR of cluster IPs, and of ready endpoints of headless
//   services
//
// A name that exists, or that a name exists below, is answered NOERROR whatever the type; all
// others below Z are NXDOMAIN, as is a headless service without ready endpoints. Negative answers
// carry the zone's SOA, so that they are remembered no longer than others. Addresses in the
// cluster's own ranges are never asked for elsewhere.
#include "servicemesh/dns/dns.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>

namespace servicemesh {
namespace {

constexpr char kSchemaVersion[] = "1.1.0";
constexpr uint16_t kSrvPriority = 0;
constexpr uint16_t kSrvWeight = 100;

std::string FullName(const MeshInput& input, const Service& service) {
  return service.spec.name + "." + service.spec.ns + ".svc." + input.cluster_domain;
}

// The labels of `name`, last first.
std::vector<std::string_view> Labels(std::string_view name) {
  std::vector<std::string_view> labels;
  while (!name.empty()) {
    const size_t dot = name.rfind('.');
    const size_t start = dot == std::string_view::npos ? 0 : dot + 1;
    labels.push_back(name.substr(start));
    name = name.substr(0, start == 0 ? 0 : dot);
  }
  return labels;
}

// What stands before ".`zone`"; "" for the zone itself.
std::optional<std::string_view> Below(std::string_view name, std::string_view zone) {
  if (name == zone) return std::string_view();
  if (name.size() <= zone.size() || !name.ends_with(zone)) return std::nullopt;
  name.remove_suffix(zone.size());
  if (name.back() != '.') return std::nullopt;
  name.remove_suffix(1);
  return name;
}

std::optional<Ipv4> FromDashes(std::string_view label) {
  std::string text(label);
  std::replace(text.begin(), text.end(), '-', '.');
  return Ipv4::Parse(text);
}

// "4.3.2.1" -> 1.2.3.4
std::optional<Ipv4> FromReversed(std::string_view text) {
  const std::vector<std::string_view> labels = Labels(text);
  if (labels.size() != 4) return std::nullopt;
  std::string ip;
  for (const std::string_view label : labels) ip.append(ip.empty() ? "" : ".").append(label);
  return Ipv4::Parse(ip);
}

// The zone of a range: its whole octets.
std::string ReverseZone(const base::Cidr& range) {
  std::string zone = "in-addr.arpa";
  for (int octet = 0; octet < range.prefix_length() / 8; ++octet)
    zone = std::to_string(range.first() >> (24 - 8 * octet) & 255) + "." + zone;
  return zone;
}

bool Shown(const Service& service, const Endpoint& endpoint) {
  return endpoint.ready || service.spec.publish_not_ready;
}

DnsRecord ARecord(std::string name, Ipv4 ip) {
  DnsRecord record;
  record.name = std::move(name);
  record.ttl = kDnsTtl;
  record.ip = ip;
  return record;
}

DnsRecord NameRecord(std::string name, DnsType type, std::string target) {
  DnsRecord record;
  record.name = std::move(name);
  record.type = type;
  record.ttl = kDnsTtl;
  record.target = std::move(target);
  return record;
}

class Resolver {
 public:
  Resolver(const DnsView& view, uint32_t turn)
      : view_(view), input_(view.input()), zone_(LowerName(input_.cluster_domain)), turn_(turn) {}

  DnsResolution Run(const DnsQuestion& question) {
    question_ = question;
    for (int aliases = 0;; ++aliases) {
      const std::string name = LowerName(question_.name);
      if (const auto below = Below(name, zone_)) {
        InZone(*below);
      } else if (const auto reversed = Below(name, "in-addr.arpa")) {
        if (!Reverse(*reversed)) return NotOurs();
      } else {
        return NotOurs();
      }
      if (alias_.empty() || aliases == kMaxDnsAliases) break;
      question_.name = std::exchange(alias_, "");
    }
    result_.answer.authoritative = true;
    return std::move(result_);
  }

 private:
  bool Asks(DnsType type) const {
    return question_.type == type || question_.type == DnsType::kAny;
  }
  void Add(DnsRecord record) { result_.answer.answers.push_back(std::move(record)); }

  // A name that is not the cluster's: all of the answer if it was asked for, its end if an alias
  // led there.
  DnsResolution NotOurs() {
    result_.ours = !result_.answer.answers.empty();
    result_.elsewhere = result_.ours ? question_.name : "";
    result_.answer.authoritative = result_.ours;
    return std::move(result_);
  }

  void AddSoa(const std::string& zone) {
    DnsRecord soa = NameRecord(zone, DnsType::kSoa, "ns.dns." + zone_);
    soa.mailbox = "hostmaster." + zone_;
    soa.serial = static_cast<uint32_t>(input_.revision);
    soa.negative_ttl = kDnsTtl;
    (question_.type == DnsType::kSoa && LowerName(question_.name) == zone
         ? result_.answer.answers
         : result_.answer.authority)
        .push_back(std::move(soa));
  }
  void NoSuchName(const std::string& zone) {
    result_.answer.code = DnsCode::kNxDomain;
    AddSoa(zone);
  }
  // The name exists; if nothing was said about it, there is nothing of that type.
  void Exists() {
    if (result_.answer.answers.empty() || result_.answer.answers.back().type == DnsType::kCname)
      AddSoa(zone_);
  }

  void InZone(std::string_view below) {
    const std::vector<std::string_view> labels = Labels(below);
    if (labels.empty()) return Exists();
    if (labels[0] == "svc") return InServices(labels);
    if (labels[0] == "pod") return InPods(labels);
    if (below != "dns-version") return NoSuchName(zone_);
    if (Asks(DnsType::kTxt)) {
      DnsRecord version = NameRecord(question_.name, DnsType::kTxt, "");
      version.data = kSchemaVersion;
      Add(std::move(version));
    }
    Exists();
  }

  void InServices(const std::vector<std::string_view>& labels) {
    if (labels.size() == 1) return Exists();
    const std::string ns(labels[1]);
    if (labels.size() == 2) return view_.HasNamespace(ns) ? Exists() : NoSuchName(zone_);
    const Service* service = view_.Find(ns, std::string(labels[2]));
    if (service == nullptr) return NoSuchName(zone_);
    if (!service->spec.external_name.empty())
      return labels.size() == 3 ? ExternalName(*service) : NoSuchName(zone_);
    if (labels.size() == 3) return AddressesOf(*service);
    if (labels.size() == 4 && !labels[3].starts_with('_')) return EndpointOf(*service, labels[3]);
    PortOf(*service, labels);
  }

  void ExternalName(const Service& service) {
    std::string target = service.spec.external_name;
    if (target.ends_with('.')) target.pop_back();
    Add(NameRecord(question_.name, DnsType::kCname, target));
    if (question_.type != DnsType::kCname && question_.type != DnsType::kAny)
      alias_ = std::move(target);
  }

  void AddressesOf(const Service& service) {
    std::vector<Ipv4> ips = service.spec.cluster_ips;
    if (service.spec.headless) {
      ips.clear();
      for (const Endpoint& endpoint : service.addresses) {
        if (Shown(service, endpoint)) ips.push_back(endpoint.ip);
      }
      if (ips.empty()) return NoSuchName(zone_);
    }
    if (Asks(DnsType::kA)) AddAddresses(std::move(ips));
    Exists();
  }

  void AddAddresses(std::vector<Ipv4> ips) {
    if (!ips.empty()) std::rotate(ips.begin(), ips.begin() + turn_ % ips.size(), ips.end());
    if (ips.size() > kMaxDnsRecords) ips.resize(kMaxDnsRecords);
    for (const Ipv4 ip : ips) Add(ARecord(question_.name, ip));
  }

  void EndpointOf(const Service& service, std::string_view hostname) {
    std::vector<Ipv4> ips;
    if (service.spec.headless) {
      for (const Endpoint& endpoint : service.addresses) {
        if (Shown(service, endpoint) && LowerName(EndpointName(endpoint)) == hostname)
          ips.push_back(endpoint.ip);
      }
    }
    if (ips.empty()) return NoSuchName(zone_);
    if (Asks(DnsType::kA)) AddAddresses(std::move(ips));
    Exists();
  }

  // labels: svc, namespace, service, _protocol, and perhaps _port.
  void PortOf(const Service& service, const std::vector<std::string_view>& labels) {
    bool exists = false;
    for (const ServicePort& port : service.ports) {
      if (labels.size() > 5 || port.name.empty()) continue;
      if (labels[3] != std::string("_") + NameOf(port.protocol)) continue;
      if (labels.size() == 5 && labels[4] != "_" + LowerName(port.name)) continue;
      if (!service.spec.headless) {
        exists = true;
        if (labels.size() == 5 && Asks(DnsType::kSrv)) AddServiceSrv(service, port);
        continue;
      }
      for (const Endpoint& endpoint : port.endpoints) {
        if (!Shown(service, endpoint)) continue;
        exists = true;
        if (labels.size() == 5 && Asks(DnsType::kSrv))
          AddSrv(EndpointName(endpoint) + "." + FullName(input_, service), endpoint.port,
                 endpoint.ip);
      }
    }
    return exists ? Exists() : NoSuchName(zone_);
  }

  void AddServiceSrv(const Service& service, const ServicePort& port) {
    if (!service.spec.cluster_ips.empty())
      AddSrv(FullName(input_, service), port.port, service.spec.cluster_ips.front());
  }

  void AddSrv(const std::string& target, uint16_t port, Ipv4 ip) {
    if (result_.answer.answers.size() >= kMaxDnsRecords) return;
    DnsRecord srv = NameRecord(question_.name, DnsType::kSrv, target);
    srv.priority = kSrvPriority;
    srv.weight = kSrvWeight;
    srv.port = port;
    Add(std::move(srv));
    result_.answer.additional.push_back(ARecord(target, ip));
  }

  void InPods(const std::vector<std::string_view>& labels) {
    // Which namespaces there are is not known here, so that of a pod's name is not judged.
    if (labels.size() <= 2) return Exists();
    const std::optional<Ipv4> ip = labels.size() == 3 ? FromDashes(labels[2]) : std::nullopt;
    if (!ip || !Contains(input_.cluster_pod_cidr, *ip)) return NoSuchName(zone_);
    if (Asks(DnsType::kA)) Add(ARecord(question_.name, *ip));
    Exists();
  }

  // False if the address is not the cluster's to know.
  bool Reverse(std::string_view reversed) {
    const std::optional<Ipv4> ip = FromReversed(reversed);
    if (!ip) return false;
    const base::Cidr* range = nullptr;
    for (const base::Cidr* own : {&input_.service_cidr, &input_.cluster_pod_cidr}) {
      if (Contains(*own, *ip)) range = own;
    }
    const std::vector<std::string> names = view_.NamesOf(*ip);
    if (names.empty() && range == nullptr) return false;
    const std::string zone = range ? ReverseZone(*range) : "in-addr.arpa";
    if (names.empty()) {
      NoSuchName(zone);
    } else if (Asks(DnsType::kPtr)) {
      for (const std::string& name : names) Add(NameRecord(question_.name, DnsType::kPtr, name));
    } else {
      AddSoa(zone);
    }
    return true;
  }

  const DnsView& view_;
  const MeshInput& input_;
  const std::string zone_;
  const uint32_t turn_;
  DnsQuestion question_;
  std::string alias_;
  DnsResolution result_;
};

bool ServiceLess(const Service& service, const std::pair<std::string, std::string>& key) {
  return std::tie(service.spec.ns, service.spec.name) < std::tie(key.first, key.second);
}

}  // namespace

std::string EndpointName(const Endpoint& endpoint) {
  if (!endpoint.hostname.empty()) return endpoint.hostname;
  std::string name = endpoint.ip.ToString();
  std::replace(name.begin(), name.end(), '.', '-');
  return name;
}

DnsView::DnsView(std::shared_ptr<const MeshInput> input) : input_(std::move(input)) {
  const std::vector<Service>& services = input_->services;
  for (uint32_t i = 0; i < services.size(); ++i) {
    for (const Ipv4 ip : services[i].spec.cluster_ips) addresses_.push_back({ip, i, kItself});
    if (!services[i].spec.headless) continue;
    const std::vector<Endpoint>& endpoints = services[i].addresses;
    for (uint32_t e = 0; e < endpoints.size(); ++e) {
      if (Shown(services[i], endpoints[e])) addresses_.push_back({endpoints[e].ip, i, e});
    }
  }
  std::sort(addresses_.begin(), addresses_.end());
}

const Service* DnsView::Find(const std::string& ns, const std::string& name) const {
  const std::vector<Service>& services = input_->services;
  const auto it =
      std::lower_bound(services.begin(), services.end(), std::pair(ns, name), ServiceLess);
  return it != services.end() && it->spec.ns == ns && it->spec.name == name ? &*it : nullptr;
}

bool DnsView::HasNamespace(const std::string& ns) const {
  const std::vector<Service>& services = input_->services;
  const auto it =
      std::lower_bound(services.begin(), services.end(), std::pair(ns, std::string()), ServiceLess);
  return it != services.end() && it->spec.ns == ns;
}

std::vector<std::string> DnsView::NamesOf(Ipv4 ip) const {
  std::vector<std::string> names;
  for (auto it = std::lower_bound(addresses_.begin(), addresses_.end(), Address{ip, 0, 0});
       it != addresses_.end() && it->ip == ip && names.size() < kMaxDnsRecords; ++it) {
    const Service& service = input_->services[it->service];
    const std::string prefix =
        it->endpoint == kItself ? "" : EndpointName(service.addresses[it->endpoint]) + ".";
    names.push_back(prefix + FullName(*input_, service));
  }
  return names;
}

DnsResolution Resolve(const DnsView& view, const DnsQuestion& question, uint32_t turn) {
  return Resolver(view, turn).Run(question);
}

}  // namespace servicemesh

#include "servicemesh/testing/mesh_text.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <sstream>
#include <string>

namespace servicemesh {
namespace {

[[noreturn]] void Unreadable(const std::string& word) {
  std::cerr << "mesh text: cannot read \"" << word << "\"\n";
  std::abort();
}

// Cuts off and returns what follows the last `mark`, or "".
std::string CutAfter(std::string& word, char mark) {
  const size_t at = word.rfind(mark);
  if (at == std::string::npos) return "";
  std::string rest = word.substr(at + 1);
  word.resize(at);
  return rest;
}

uint16_t ToPort(const std::string& text) {
  const int port = std::atoi(text.c_str());
  if (port < 1 || port > 65535) Unreadable(text);
  return static_cast<uint16_t>(port);
}

Ipv4 ToIp(const std::string& text) {
  const auto ip = Ipv4::Parse(text);
  if (!ip) Unreadable(text);
  return *ip;
}

Endpoint ToEndpoint(std::string word) {
  Endpoint endpoint;
  if (word.ends_with('!')) endpoint.ready = endpoint.serving = false;
  if (word.ends_with('~')) endpoint.ready = false, endpoint.terminating = true;
  if (!endpoint.ready) word.pop_back();
  endpoint.hostname = CutAfter(word, '%');
  endpoint.node = CutAfter(word, '@');
  endpoint.port = ToPort(CutAfter(word, ':'));
  endpoint.ip = ToIp(word);
  return endpoint;
}

ServicePort ToPort(std::string word, std::istringstream& rest) {
  ServicePort port;
  port.name = CutAfter(word, '=');
  if (const std::string node = CutAfter(word, '@'); !node.empty()) port.node_port = ToPort(node);
  port.port = ToPort(CutAfter(word, '/'));
  if (word != "tcp" && word != "udp" && word != "sctp") Unreadable(word);
  port.protocol = word == "tcp" ? Protocol::kTcp : word == "udp" ? Protocol::kUdp : Protocol::kSctp;
  while (rest >> word) port.endpoints.push_back(ToEndpoint(word));
  return port;
}

Service ToService(std::istringstream& rest) {
  Service service;
  ServiceSpec& spec = service.spec;
  std::string word;
  rest >> word;
  spec.name = CutAfter(word, '/');
  spec.ns = word;
  while (rest >> word) {
    if (word == "headless") {
      spec.headless = true;
    } else if (word == "publish") {
      spec.publish_not_ready = true;
    } else if (word == "internal=local") {
      spec.internal_traffic_policy = TrafficPolicy::kLocal;
    } else if (word == "external=local") {
      spec.external_traffic_policy = TrafficPolicy::kLocal;
    } else if (word.starts_with("external=")) {
      spec.type = ServiceType::kExternalName;
      spec.external_name = word.substr(9);
    } else if (word.starts_with("affinity=")) {
      spec.session_affinity_seconds = static_cast<uint32_t>(std::atoi(word.c_str() + 9));
    } else {
      spec.cluster_ips.push_back(ToIp(word));
    }
  }
  return service;
}

void AddAddresses(const ServicePort& port, std::vector<Endpoint>& addresses) {
  for (Endpoint endpoint : port.endpoints) {
    endpoint.port = 0;
    const bool known = std::any_of(addresses.begin(), addresses.end(),
                                   [&](const Endpoint& e) { return e.ip == endpoint.ip; });
    if (!known) addresses.push_back(endpoint);
  }
}

}  // namespace

std::vector<Service> ServicesFromText(std::string_view text) {
  std::vector<Service> services;
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string word;
    if (!(words >> word) || word == "hostport") continue;
    if (word == "service") {
      services.push_back(ToService(words));
      continue;
    }
    if (services.empty()) Unreadable(line);
    services.back().ports.push_back(ToPort(word, words));
    AddAddresses(services.back().ports.back(), services.back().addresses);
  }
  return services;
}

std::vector<HostPort> HostPortsFromText(std::string_view text) {
  std::vector<HostPort> ports;
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string word;
    if (!(words >> word) || word != "hostport") continue;
    HostPort host_port;
    std::string at, target, host_ip;
    words >> host_port.pod >> at >> target >> host_ip;
    const ServicePort port = ToPort(at, words);
    const Endpoint endpoint = ToEndpoint(target);
    host_port.protocol = port.protocol;
    host_port.port = port.port;
    host_port.target_ip = endpoint.ip;
    host_port.target_port = endpoint.port;
    if (!host_ip.empty()) host_port.host_ip = ToIp(host_ip);
    ports.push_back(host_port);
  }
  return ports;
}

MeshInput MeshFromText(std::string_view text, uint64_t revision) {
  MeshInput input;
  input.revision = revision;
  input.node_name = "n1";
  input.node_ips = {ToIp("10.89.0.1")};
  input.pod_cidr = *base::Cidr::Parse("10.88.1.0/24");
  input.cluster_pod_cidr = *base::Cidr::Parse("10.88.0.0/16");
  input.service_cidr = *base::Cidr::Parse("10.96.0.0/16");
  input.services = ServicesFromText(text);
  input.host_ports = HostPortsFromText(text);
  return input;
}

}  // namespace servicemesh

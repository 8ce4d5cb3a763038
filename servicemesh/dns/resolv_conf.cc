// What a pod's resolver is told (Kubernetes, "DNS for Services and Pods"):
//
//   ClusterFirst (default)   the cluster's DNS; searches the pod's namespace, the services, the
//                            cluster, then what the node searches; ndots:5. With hostNetwork:
//                            Default.
//   ClusterFirstWithHostNet  the same, with hostNetwork too
//   Default                  what the node's is told
//   None                     nothing
//
// dnsConfig then adds nameservers and searches that are not there yet, and options, where its value
// replaces that of an option of the same name.
#include "servicemesh/dns/resolv_conf.h"

#include <algorithm>
#include <sstream>

namespace servicemesh {
namespace {

void AddNew(std::vector<std::string>& list, std::string_view word) {
  if (!word.empty() && std::find(list.begin(), list.end(), word) == list.end())
    list.emplace_back(word);
}

std::string_view OptionName(std::string_view option) { return option.substr(0, option.find(':')); }

void SetOption(std::vector<std::string>& options, const std::string& option) {
  const auto it = std::find_if(options.begin(), options.end(), [&](const std::string& other) {
    return OptionName(other) == OptionName(option);
  });
  if (it == options.end())
    options.push_back(option);
  else
    *it = option;
}

// A word of a pod's spec must not start a line of its own.
std::string_view Word(base::Value value) {
  const std::string_view text = value.AsString();
  return text.substr(0, text.find_first_of(" \t\r\n#;"));
}

void AddDnsConfig(base::Value config, ResolverConfig& out) {
  for (base::Value server : config["nameservers"].Elements()) AddNew(out.nameservers, Word(server));
  for (base::Value search : config["searches"].Elements()) AddNew(out.searches, Word(search));
  for (base::Value option : config["options"].Elements()) {
    std::string text(Word(option["name"]));
    if (text.empty()) continue;
    if (const std::string_view value = Word(option["value"]); !value.empty())
      text.append(":").append(value);
    SetOption(out.options, text);
  }
}

void Limit(ResolverConfig& config) {
  if (config.nameservers.size() > kMaxNameservers) config.nameservers.resize(kMaxNameservers);
  if (config.searches.size() > kMaxSearches) config.searches.resize(kMaxSearches);
  size_t bytes = 0;
  size_t kept = 0;
  for (const std::string& search : config.searches) {
    bytes += search.size() + (kept > 0 ? 1 : 0);
    if (bytes > kMaxSearchBytes) break;
    ++kept;
  }
  config.searches.resize(kept);
}

}  // namespace

std::string ResolverConfig::ToString() const {
  std::string text;
  for (const std::string& server : nameservers) text += "nameserver " + server + "\n";
  const auto line = [&](const char* key, const std::vector<std::string>& words) {
    if (words.empty()) return;
    text += key;
    for (const std::string& word : words) text += " " + word;
    text += "\n";
  };
  line("search", searches);
  line("options", options);
  return text;
}

ResolverConfig ParseResolverConfig(std::string_view text) {
  ResolverConfig config;
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    line.resize(std::min(line.size(), line.find_first_of("#;")));
    std::istringstream words(line);
    std::string key;
    words >> key;
    // The last of `search` and `domain` is the one that counts.
    if (key == "search" || key == "domain") config.searches.clear();
    for (std::string word; words >> word;) {
      if (key == "nameserver") AddNew(config.nameservers, word);
      if (key == "search" || key == "domain") AddNew(config.searches, word);
      if (key == "options") SetOption(config.options, word);
    }
  }
  return config;
}

std::string ResolvConf(base::Value pod_spec, std::string_view ns, std::string_view cluster_dns,
                       std::string_view cluster_domain, const ResolverConfig& node) {
  const std::string_view policy = pod_spec["dnsPolicy"].AsString("ClusterFirst");
  const bool host_network = pod_spec["hostNetwork"].AsBool();
  const bool cluster = !cluster_dns.empty() && (policy == "ClusterFirstWithHostNet" ||
                                                (policy == "ClusterFirst" && !host_network));
  ResolverConfig config;
  if (cluster) {
    const std::string domain(cluster_domain);
    config.nameservers = {std::string(cluster_dns)};
    config.searches = {std::string(ns) + ".svc." + domain, "svc." + domain, domain};
    for (const std::string& search : node.searches) AddNew(config.searches, search);
    config.options = {"ndots:5"};
  } else if (policy != "None") {
    config = node;
  }
  AddDnsConfig(pod_spec["dnsConfig"], config);
  Limit(config);
  return config.ToString();
}

}  // namespace servicemesh

// Rules (Kubernetes documentation, "Images"):
// - kubernetes.io/dockerconfigjson holds {"auths": {SERVER: {auth | username, password}}},
//   kubernetes.io/dockercfg the inner object alone; `auth` is base64 of "user:password".
// - SERVER may have a scheme and a path; it is meant for a registry if the host (with port) is the
//   same and the path is the start of the image's. The longest path wins; "*." stands for one
//   label of the host.
#include "nodeagent/pods/image_credentials.h"

#include <utility>

#include "base/json.h"
#include "nodeagent/volumes/sources.h"

namespace nodeagent {
namespace {

constexpr char kDockerHub[] = "docker.io";

std::string WithoutScheme(std::string server) {
  if (const size_t scheme = server.find("://"); scheme != server.npos) server.erase(0, scheme + 3);
  for (const char* end : {"/v1/", "/v2/", "/v1", "/v2", "/"}) {
    if (server.ends_with(end)) {
      server.resize(server.size() - std::string_view(end).size());
      break;
    }
  }
  return server;
}

bool HostMatches(std::string_view pattern, std::string_view host) {
  if (pattern == host) return true;
  if (host == kDockerHub && pattern == std::string("index.") + kDockerHub) return true;
  if (!pattern.starts_with("*.")) return false;
  const size_t dot = host.find('.');
  return dot != host.npos && pattern.substr(1) == host.substr(dot);
}

bool Matches(const std::string& server, const std::string& registry, const std::string& path) {
  const size_t slash = server.find('/');
  if (!HostMatches(std::string_view(server).substr(0, slash), registry)) return false;
  if (slash == server.npos) return true;
  const std::string wanted = server.substr(slash + 1);
  return path == wanted || path.starts_with(wanted + "/");
}

std::optional<ImageCredentials> Read(const base::Json& entry) {
  ImageCredentials credentials;
  credentials.username = entry["username"].AsString();
  credentials.password = entry["password"].AsString();
  if (const std::string_view auth = entry["auth"].AsString(); !auth.empty()) {
    const auto decoded = DecodeBase64(auth);
    const size_t colon = decoded.ok() ? decoded->find(':') : std::string::npos;
    if (colon == std::string::npos) return std::nullopt;
    credentials.username = decoded->substr(0, colon);
    credentials.password = decoded->substr(colon + 1);
  }
  if (credentials.username.empty()) return std::nullopt;
  return credentials;
}

std::optional<ImageCredentials> Choose(const base::Json& auths, const std::string& reference) {
  const std::string registry = RegistryOf(reference);
  const std::string path =
      reference.starts_with(registry + "/") ? reference.substr(registry.size() + 1) : reference;
  std::optional<ImageCredentials> best;
  size_t best_length = 0;
  for (const base::Json::Member& member : auths.Members()) {
    const std::string server = WithoutScheme(member.key);
    if (!Matches(server, registry, path) || (best && server.size() <= best_length)) continue;
    auto credentials = Read(member.value);
    if (!credentials) continue;
    credentials->server_address = server.substr(0, server.find('/'));
    best = std::move(credentials);
    best_length = server.size();
  }
  return best;
}

}  // namespace

std::string RegistryOf(const std::string& reference) {
  const size_t slash = reference.find('/');
  if (slash == reference.npos) return kDockerHub;
  const std::string first = reference.substr(0, slash);
  const bool is_host = first.find_first_of(".:") != first.npos || first == "localhost";
  return is_host ? first : kDockerHub;
}

std::string WithTag(const std::string& reference) {
  const size_t slash = reference.rfind('/');
  const size_t name = slash == reference.npos ? 0 : slash + 1;
  return reference.find_first_of(":@", name) == reference.npos ? reference + ":latest" : reference;
}

std::optional<ImageCredentials> CredentialsFor(const PodContext& context,
                                               const std::string& reference) {
  for (base::Value secret : context.pod["spec"]["imagePullSecrets"].Elements()) {
    const auto entries = SecretEntries(context, secret["name"].AsString(), false);
    if (!entries.ok()) continue;
    for (const char* key : {".dockerconfigjson", ".dockercfg"}) {
      const auto found = entries->find(key);
      if (found == entries->end()) continue;
      const auto config = base::ParseJson(found->second);
      if (!config.ok()) continue;
      const base::Json& all = *config;
      auto credentials = Choose(all.Has("auths") ? all["auths"] : all, reference);
      if (credentials) return credentials;
    }
  }
  return std::nullopt;
}

}  // namespace nodeagent

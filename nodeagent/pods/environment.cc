// Rules (Kubernetes API, "Define environment variables"):
// - Of several sources of a variable the last wins: services, then envFrom in order, then env in
//   order. A value in env is expanded with all that came before it.
// - Services of the pod's namespace count if enableServiceLinks is not false; the service
//   default/kubernetes always counts. Headless services have no variables.
// - A key of envFrom that cannot be a variable's name (empty, with '=' or NUL) is left out.
#include "nodeagent/pods/environment.h"

#include <algorithm>

#include "nodeagent/downward_api.h"
#include "nodeagent/volumes/sources.h"

namespace nodeagent {
namespace {

std::string VariableName(std::string_view name) {
  std::string out(name);
  for (char& c : out) {
    if (c == '-' || c == '.') c = '_';
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

std::string Lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

void AddService(const state::Object& service, Variables& variables) {
  const base::Value spec = service["spec"];
  const std::string ip(spec["clusterIP"].AsString());
  if (ip.empty() || ip == "None" || spec["ports"].empty()) return;
  const std::string prefix = VariableName(service.key.name);
  variables[prefix + "_SERVICE_HOST"] = ip;
  bool first = true;
  for (base::Value port : spec["ports"].Elements()) {
    const std::string number = std::to_string(port["port"].AsInt());
    const std::string protocol(port["protocol"].AsString("TCP"));
    const std::string url = Lower(protocol) + "://" + ip + ":" + number;
    if (first) {
      variables[prefix + "_SERVICE_PORT"] = number;
      variables[prefix + "_PORT"] = url;
    }
    first = false;
    if (const std::string_view name = port["name"].AsString(); !name.empty()) {
      variables[prefix + "_SERVICE_PORT_" + VariableName(name)] = number;
    }
    const std::string link = prefix + "_PORT_" + number + "_" + VariableName(protocol);
    variables[link] = url;
    variables[link + "_PROTO"] = Lower(protocol);
    variables[link + "_PORT"] = number;
    variables[link + "_ADDR"] = ip;
  }
}

base::Status AddEnvFrom(const PodContext& context, base::Value source, Variables& variables) {
  const base::Value config_map = source["configMapRef"];
  const base::Value secret = source["secretRef"];
  base::Result<Entries> entries = Entries();
  if (config_map.Exists()) {
    entries =
        ConfigMapEntries(context, config_map["name"].AsString(), config_map["optional"].AsBool());
  } else if (secret.Exists()) {
    entries = SecretEntries(context, secret["name"].AsString(), secret["optional"].AsBool());
  }
  if (!entries.ok()) return entries.status();
  const std::string prefix(source["prefix"].AsString());
  for (auto& [key, value] : *entries) {
    if (key.empty() || key.find('=') != key.npos || value.find('\0') != value.npos) continue;
    variables[prefix + key] = std::move(value);
  }
  return {};
}

// A value of env; nothing for an optional one that is not there.
base::Result<std::optional<std::string>> KeyValue(const PodContext& context, base::Value reference,
                                                  bool secret) {
  const std::string_view name = reference["name"].AsString();
  const std::string_view key = reference["key"].AsString();
  const bool optional = reference["optional"].AsBool();
  ASSIGN_OR_RETURN(const Entries entries, secret ? SecretEntries(context, name, optional)
                                                 : ConfigMapEntries(context, name, optional));
  const auto found = entries.find(key);
  if (found != entries.end()) return std::optional<std::string>(found->second);
  if (optional) return std::optional<std::string>();
  return MissingKey(secret ? "secret" : "configmap", name, key);
}

base::Result<std::optional<std::string>> ValueFrom(const PodContext& context, base::Value container,
                                                   base::Value from) {
  if (from["configMapKeyRef"].Exists()) return KeyValue(context, from["configMapKeyRef"], false);
  if (from["secretKeyRef"].Exists()) return KeyValue(context, from["secretKeyRef"], true);
  base::Result<std::string> value =
      base::Status(base::Code::kInvalid,
                   "its valueFrom is not served; use configMapKeyRef, secretKeyRef, fieldRef or "
                   "resourceFieldRef");
  if (from["fieldRef"].Exists())
    value = FieldValue(context, from["fieldRef"]["fieldPath"].AsString());
  if (from["resourceFieldRef"].Exists()) {
    value = ResourceValue(context, container, from["resourceFieldRef"]);
  }
  if (!value.ok()) return value.status();
  return std::optional<std::string>(*std::move(value));
}

}  // namespace

Variables ServiceVariables(const PodContext& context) {
  Variables variables;
  if (context.view == nullptr) return variables;
  if (const auto kubernetes = context.view->Get("services", "default", "kubernetes")) {
    AddService(*kubernetes, variables);
  }
  if (!context.pod["spec"]["enableServiceLinks"].AsBool(true)) return variables;
  for (const state::ObjectPtr& service :
       context.view->List("services", std::string(context.Namespace()))) {
    AddService(*service, variables);
  }
  return variables;
}

base::Result<Variables> BuildEnvironment(const PodContext& context, base::Value container) {
  Variables variables = ServiceVariables(context);
  for (base::Value source : container["envFrom"].Elements()) {
    RETURN_IF_ERROR(AddEnvFrom(context, source, variables));
  }
  for (base::Value variable : container["env"].Elements()) {
    const std::string name(variable["name"].AsString());
    const base::Value from = variable["valueFrom"];
    if (from.empty()) {
      variables[name] = Expand(variable["value"].AsString(), variables);
      continue;
    }
    auto value = ValueFrom(context, container, from);
    if (!value.ok()) return value.status().WithContext("variable " + name);
    if (*value) variables[name] = **std::move(value);
  }
  return variables;
}

std::string Expand(std::string_view text, const Variables& variables) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '$' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    if (text[i + 1] == '$') {
      out += '$';
      ++i;
      continue;
    }
    const size_t end = text[i + 1] == '(' ? text.find(')', i) : text.npos;
    if (end == text.npos) {
      out += '$';
      continue;
    }
    const auto found = variables.find(text.substr(i + 2, end - i - 2));
    out += found == variables.end() ? text.substr(i, end - i + 1) : std::string_view(found->second);
    i = end;
  }
  return out;
}

}  // namespace nodeagent

// Ingress: a host is a name, or a name below "*."; a path that is matched by its text is absolute
// and has no step that a server could read in two ways; a backend is one thing, a Service with a
// port by name or by number, or another object. IngressClass: its controller is a path below a
// domain; parameters are in a namespace only if their scope says so. As Kubernetes checks them.
#include "manifests/rules/ingress.h"

#include <string_view>

#include "manifests/syntax.h"
#include "manifests/walk.h"

namespace manifests {
namespace {

using base::Json;

constexpr std::string_view kClassAnnotation = "kubernetes.io/ingress.class";
constexpr std::string_view kAmbiguous[] = {"//", "/./", "/../", "%2f", "%2F"};

void CheckHost(const Json& host, const std::string& path, Report& report) {
  std::string_view text = host.AsString();
  if (text.empty()) return;
  if (!CheckFormat("ip", text)) {
    report.Invalid(path, "must be a DNS name, not an IP address", host);
    return;
  }
  if (text.starts_with("*.")) text.remove_prefix(2);
  if (auto complaint = CheckFormat("dns1123subdomain", text)) {
    report.Invalid(path, *complaint + "; \"*.\" may stand before it", host);
  }
}

void CheckBackend(const Json& backend, const std::string& path, Report& report) {
  if (!backend.IsObject()) return;
  const Json& service = backend["service"];
  if (service.IsNull() == backend["resource"].IsNull()) {
    report.Invalid(path, "needs one of service and resource", backend);
  }
  if (!service.IsObject()) return;
  const Json& port = service["port"];
  const bool named = !port["name"].AsString().empty(), numbered = port["number"].AsInt() != 0;
  if (named == numbered) {
    report.Invalid(Join(path, "service.port"), "needs one of name and number",
                   port.IsNull() ? service : port);
  }
}

void CheckPath(const Json& path, const std::string& at, Report& report) {
  const Json& text = path["path"];
  const std::string_view value = text.AsString();
  const bool by_text = path["pathType"].AsString() != "ImplementationSpecific";
  const std::string field = Join(at, "path");
  if (!value.starts_with('/') && (by_text || !value.empty())) {
    report.Invalid(field, "must begin with '/'", text.IsNull() ? path : text);
  } else if (by_text) {
    for (const std::string_view step : kAmbiguous) {
      if (value.find(step) == value.npos) continue;
      report.Invalid(field, "must not contain " + std::string(step), text);
    }
    if (value.ends_with("/.") || value.ends_with("/..")) {
      report.Invalid(field, "must not end with a step . or ..", text);
    }
  }
  CheckBackend(path["backend"], Join(at, "backend"), report);
}

}  // namespace

void CheckIngress(const Json& object, Report& report) {
  const Json& spec = object["spec"];
  if (!spec.IsObject()) return;
  if (spec["rules"].empty() && spec["defaultBackend"].IsNull()) {
    report.Invalid("spec", "needs rules or a defaultBackend", spec);
  }
  const Json& annotation = object["metadata"]["annotations"][kClassAnnotation];
  if (!annotation.IsNull() && !spec["ingressClassName"].IsNull()) {
    report.Invalid("spec.ingressClassName",
                   "the annotation " + std::string(kClassAnnotation) +
                       " says the same in the old way; remove it",
                   spec["ingressClassName"]);
  }
  CheckBackend(spec["defaultBackend"], "spec.defaultBackend", report);
  size_t index = 0;
  for (const Json& rule : spec["rules"].Elements()) {
    const std::string at = Join("spec.rules", index++);
    CheckHost(rule["host"], Join(at, "host"), report);
    size_t number = 0;
    for (const Json& path : rule["http"]["paths"].Elements()) {
      CheckPath(path, Join(Join(at, "http.paths"), number++), report);
    }
  }
  index = 0;
  for (const Json& tls : spec["tls"].Elements()) {
    const std::string at = Join(Join("spec.tls", index++), "hosts");
    size_t number = 0;
    for (const Json& host : tls["hosts"].Elements()) CheckHost(host, Join(at, number++), report);
  }
}

void CheckIngressClass(const Json& object, Report& report) {
  const Json& controller = object["spec"]["controller"];
  const std::string_view text = controller.AsString();
  const size_t slash = text.find('/');
  if (!text.empty() && (slash == text.npos || slash + 1 == text.size() ||
                        CheckFormat("dns1123subdomain", text.substr(0, slash)))) {
    report.Invalid("spec.controller", "must be a path below a domain, like \"example.com/gateway\"",
                   controller);
  }
  const Json& parameters = object["spec"]["parameters"];
  if (!parameters.IsObject()) return;
  const Json& ns = parameters["namespace"];
  const bool in_namespace = parameters["scope"].AsString() == "Namespace";
  if (in_namespace && ns.AsString().empty()) {
    report.Required("spec.parameters.namespace", "the scope Namespace needs one", parameters);
  } else if (!in_namespace && !ns.IsNull()) {
    report.Forbidden("spec.parameters.namespace", "needs the scope Namespace", ns);
  }
}

}  // namespace manifests

// The rules of one container: each environment variable, mount, probe and hook says one thing, and
// says it about something that exists.
#include <algorithm>
#include <set>
#include <string>

#include "manifests/quantity.h"
#include "manifests/rules/pod.h"
#include "manifests/syntax.h"
#include "manifests/walk.h"

namespace manifests {
namespace {

using base::Json;

constexpr std::string_view kFieldPaths[] = {"metadata.name",
                                            "metadata.namespace",
                                            "metadata.uid",
                                            "spec.nodeName",
                                            "spec.serviceAccountName",
                                            "status.hostIP",
                                            "status.hostIPs",
                                            "status.podIP",
                                            "status.podIPs"};

// metadata.labels['app'], metadata.annotations['example.com/owner']
bool IsMemberPath(std::string_view path) {
  for (const std::string_view map : {"metadata.labels['", "metadata.annotations['"}) {
    if (!path.starts_with(map) || !path.ends_with("']")) continue;
    path.remove_prefix(map.size());
    path.remove_suffix(std::min<size_t>(path.size(), 2));
    return IsQualifiedName(path);
  }
  return false;
}

void CheckFieldRef(const Json& ref, const std::string& path, Report& report) {
  const Json& field_path = ref["fieldPath"];
  if (field_path.AsString().empty()) return;
  if (std::find(std::begin(kFieldPaths), std::end(kFieldPaths), field_path.AsString()) !=
          std::end(kFieldPaths) ||
      IsMemberPath(field_path.AsString())) {
    return;
  }
  std::string all;
  for (const std::string_view known : kFieldPaths) all += std::string(known) + ", ";
  report.NotSupported(
      path + ".fieldPath",
      "must be one of " + all + "metadata.labels['KEY'], metadata.annotations['KEY']", field_path);
}

void CheckResourceRef(const Json& ref, const std::string& path, Report& report) {
  const Json& resource = ref["resource"];
  const std::string_view name = resource.AsString();
  if (name.empty()) return;
  for (const std::string_view side : {"limits.", "requests."}) {
    if (!name.starts_with(side)) continue;
    const std::string_view what = name.substr(side.size());
    if (what == "cpu" || what == "memory" || what == "ephemeral-storage" ||
        what.starts_with("hugepages-")) {
      return;
    }
  }
  report.NotSupported(path + ".resource",
                      "must be limits. or requests. and one of cpu, memory, ephemeral-storage",
                      resource);
}

void CheckRefName(const Json& ref, const std::string& path, std::string_view what, Report& report) {
  if (!ref.IsObject() || !ref["name"].AsString().empty()) return;
  report.Required(path + ".name", "which " + std::string(what) + "? Name it here", ref);
}

void CheckEnv(const Json& env, const std::string& path, Report& report) {
  const Json& from = env["valueFrom"];
  if (from.IsNull()) return;
  const std::string from_path = path + ".valueFrom";
  if (!env["value"].AsString().empty()) {
    report.Invalid(from_path, "value is set too; keep one of the two", from);
  }
  CheckOneOf(from, from_path,
             {"configMapKeyRef", "secretKeyRef", "fieldRef", "resourceFieldRef", "fileKeyRef"},
             false, report);
  CheckFieldRef(from["fieldRef"], from_path + ".fieldRef", report);
  CheckResourceRef(from["resourceFieldRef"], from_path + ".resourceFieldRef", report);
  CheckRefName(from["configMapKeyRef"], from_path + ".configMapKeyRef", "ConfigMap", report);
  CheckRefName(from["secretKeyRef"], from_path + ".secretKeyRef", "Secret", report);
}

void CheckEnvFrom(const Json& from, const std::string& path, Report& report) {
  CheckOneOf(from, path, {"configMapRef", "secretRef"}, false, report);
  CheckRefName(from["configMapRef"], path + ".configMapRef", "ConfigMap", report);
  CheckRefName(from["secretRef"], path + ".secretRef", "Secret", report);
  const Json& prefix = from["prefix"];
  if (prefix.AsString().empty()) return;
  if (auto complaint = CheckFormat("envvarname", prefix.AsString())) {
    report.Invalid(path + ".prefix", *complaint, prefix);
  }
}

void CheckMount(const Json& mount, const std::string& path, const VolumeNames& volumes,
                Report& report) {
  const Json& name = mount["name"];
  if (!volumes.contains(name.AsString()) && !name.AsString().empty()) {
    report.Add(
        "FieldValueNotFound", path + ".name",
        "there is no volume " + std::string(name.AsString()) + "; add it to the pod's volumes",
        name.mark);
  }
  const Json& at = mount["mountPath"];
  if (at.AsString().find(':') != std::string_view::npos) {
    report.Invalid(path + ".mountPath", "must not contain ':'", at);
  }
  if (!mount["subPath"].AsString().empty() && !mount["subPathExpr"].AsString().empty()) {
    report.Invalid(path + ".subPathExpr", "subPath is set too; keep one of the two",
                   mount["subPathExpr"]);
  }
}

void CheckPorts(const Json& ports, const std::string& path, bool host_network, Report& report) {
  std::set<std::string_view> names;
  size_t index = 0;
  for (const Json& port : ports.Elements()) {
    const std::string at = Join(path, index++);
    const Json& name = port["name"];
    if (!name.AsString().empty() && !names.insert(name.AsString()).second) {
      report.Duplicate(at + ".name", "the name " + std::string(name.AsString()) + " is used twice",
                       name);
    }
    const int64_t host_port = port["hostPort"].AsInt();
    if (host_network && host_port != 0 && host_port != port["containerPort"].AsInt()) {
      report.Invalid(at + ".hostPort", "must be the containerPort, because hostNetwork is true",
                     port["hostPort"]);
    }
  }
}

// What the node cannot ask shows when it runs: until then nothing says why it never becomes ready.
void WarnOfRequest(const Json& holder, const std::string& path, Report& report) {
  for (const std::string_view kind : {"httpGet", "tcpSocket"}) {
    const Json& host = holder[kind]["host"];
    if (host.AsString().empty() || !CheckFormat("ip", host.AsString())) continue;
    report.Warn(Join(Join(path, kind), "host"),
                "a node asks addresses, not names: write an IP address, or leave it out for the "
                "pod's own; a name of a virtual host is the header Host of httpHeaders",
                host.mark);
  }
  const Json& http = holder["httpGet"];
  const Json& request = http["path"];
  if (request.IsString() && CheckFormat("word", request.AsString())) {
    report.Warn(Join(path, "httpGet.path"),
                "a request's path has printable ASCII characters without spaces; write others "
                "as %20 and the like",
                request.mark);
  }
  size_t index = 0;
  for (const Json& header : http["httpHeaders"].Elements()) {
    const std::string at = Join(Join(path, "httpGet.httpHeaders"), index++);
    const Json& name = header["name"];
    const bool fits = name.AsString().find_first_of(":()<>@,;\\\"/[]?={}") == std::string::npos &&
                      !CheckFormat("word", name.AsString());
    if (!fits) report.Warn(at + ".name", "is no name of a header", name.mark);
  }
}

// A probe that must stay successful cannot ask for several successes first.
void CheckProbe(const Json& probe, const std::string& path, bool one_success, Report& report) {
  if (!probe.IsObject()) return;
  CheckOneOf(probe, path, {"exec", "httpGet", "tcpSocket", "grpc"}, false, report);
  WarnOfRequest(probe, path, report);
  const Json& exec = probe["exec"];
  if (exec.IsObject() && exec["command"].empty()) {
    report.Required(path + ".exec.command", "which command? List its words here", exec);
  }
  const Json& successes = probe["successThreshold"];
  if (one_success && successes.AsInt() > 1) {
    report.Invalid(path + ".successThreshold", "must be 1 for liveness and startup probes",
                   successes);
  }
}

void CheckHook(const Json& hook, const std::string& path, Report& report) {
  if (!hook.IsObject()) return;
  CheckOneOf(hook, path, {"exec", "httpGet", "tcpSocket", "sleep"}, false, report);
  WarnOfRequest(hook, path, report);
}

void CheckImage(const Json& image, const std::string& path, Report& report) {
  const std::string_view text = image.AsString();
  if (text.find_first_of(" \t\r\n") == std::string_view::npos) return;
  report.Invalid(path, "must not contain spaces or line breaks", image);
}

// Init containers end before the others start, so they are never probed; those that stay (with
// restartPolicy Always) are.
void CheckInitContainer(const Json& container, const std::string& path, Report& report) {
  if (container["restartPolicy"].AsString() == "Always") return;
  for (const std::string_view field :
       {"livenessProbe", "readinessProbe", "startupProbe", "lifecycle"}) {
    const Json* value = container.Find(field);
    if (IsAbsent(value)) continue;
    report.Forbidden(Join(path, field), "an init container runs once and ends; remove this field",
                     *value);
  }
}

// Names without a domain are Kubernetes' own; others are extended resources, counted in units.
bool IsNativeResource(std::string_view name) {
  return name == "cpu" || name == "memory" || name == "ephemeral-storage" ||
         name.starts_with("hugepages-");
}

void CheckAmounts(const Json& amounts, const std::string& path, Report& report) {
  for (const auto& [name, value] : amounts.Members()) {
    if (!IsNativeResource(name) &&
        (name.find('/') == std::string::npos || !IsQualifiedName(name))) {
      report.Add("FieldValueInvalid", JoinKey(path, name),
                 "is no resource: use cpu, memory, ephemeral-storage, or a name with a domain, "
                 "like example.com/gpu",
                 value.key_mark);
      continue;
    }
    if (!value.IsString() && !value.IsInt()) continue;
    const auto amount = Quantity::Parse(value.IsInt() ? value.ToString() : value.AsString());
    if (!amount.ok()) continue;
    WarnOfFewBytes(name, value, JoinKey(path, name), report);
    if (amount->IsNegative()) {
      report.Invalid(JoinKey(path, name), "must not be negative", value);
    } else if (!IsNativeResource(name) && amount->MilliValue() % 1000 != 0) {
      report.Invalid(JoinKey(path, name), "must be a whole number", value);
    }
  }
}

}  // namespace

// Written by who means mega (m is a thousandth), or forgets the unit; Kubernetes warns of the
// first.
void WarnOfFewBytes(std::string_view resource, const Json& amount, const std::string& path,
                    Report& report) {
  constexpr int64_t kFewBytes = 64 * 1024;  // no container starts in that, no volume is of use
  const bool bytes = resource == "memory" || resource == "ephemeral-storage" ||
                     resource == "storage" || resource.starts_with("hugepages-");
  if (!bytes || (!amount.IsString() && !amount.IsInt())) return;
  const std::string text = amount.IsInt() ? amount.ToString() : std::string(amount.AsString());
  const auto read = Quantity::Parse(text);
  if (!read.ok() || read->IsZero() || read->IsNegative()) return;
  const std::string number = text.substr(0, text.find_first_not_of("0123456789."));
  if (read->MilliValue() % 1000 != 0) {
    report.Warn(
        path,
        "fractional byte value \"" + text +
            "\" is invalid, must be an integer: m is a thousandth of a byte; did you mean " +
            number + "M or " + number + "Mi?",
        amount.mark);
  } else if (read->Value() < kFewBytes) {
    report.Warn(path,
                text + " is " + std::to_string(read->Value()) + " bytes, too few for anything; " +
                    "did you mean " + number + "Mi?",
                amount.mark);
  }
}

void CheckResources(const Json& resources, std::string_view path, Report& report) {
  const Json& limits = resources["limits"];
  const Json& requests = resources["requests"];
  CheckAmounts(limits, Join(path, "limits"), report);
  CheckAmounts(requests, Join(path, "requests"), report);
  for (const auto& [name, request] : requests.Members()) {
    const Json* limit = limits.Find(name);
    if (IsAbsent(limit)) continue;
    const auto text = [](const Json& value) {
      return value.IsString() ? std::string(value.AsString()) : value.ToString();
    };
    const auto asked = Quantity::Parse(text(request));
    const auto allowed = Quantity::Parse(text(*limit));
    if (!asked.ok() || !allowed.ok() || *asked <= *allowed) continue;
    report.Invalid(JoinKey(Join(path, "requests"), name),
                   text(request) + " is more than the limit, " + text(*limit), request);
  }
}

void CheckContainer(const Json& container, std::string_view path_view, bool is_init,
                    const VolumeNames& volumes, bool host_network, Report& report) {
  const std::string path(path_view);
  CheckImage(container["image"], path + ".image", report);
  CheckPorts(container["ports"], path + ".ports", host_network, report);
  size_t index = 0;
  for (const Json& env : container["env"].Elements()) {
    CheckEnv(env, Join(path + ".env", index++), report);
  }
  index = 0;
  for (const Json& from : container["envFrom"].Elements()) {
    CheckEnvFrom(from, Join(path + ".envFrom", index++), report);
  }
  index = 0;
  for (const Json& mount : container["volumeMounts"].Elements()) {
    CheckMount(mount, Join(path + ".volumeMounts", index++), volumes, report);
  }
  CheckProbe(container["livenessProbe"], path + ".livenessProbe", true, report);
  CheckProbe(container["startupProbe"], path + ".startupProbe", true, report);
  CheckProbe(container["readinessProbe"], path + ".readinessProbe", false, report);
  CheckHook(container["lifecycle"]["postStart"], path + ".lifecycle.postStart", report);
  CheckHook(container["lifecycle"]["preStop"], path + ".lifecycle.preStop", report);
  CheckResources(container["resources"], path + ".resources", report);
  if (is_init) CheckInitContainer(container, path, report);
}

}  // namespace manifests

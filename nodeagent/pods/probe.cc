// Rules (Kubernetes API, "Probe"): a host that is not named is the pod's address (the node's, on
// the host's network); a port may be the name of one of the container's ports. Numbers that are not
// given have Kubernetes' defaults: delay 0, period 10 s, timeout 1 s, 1 success, 3 failures.
#include "nodeagent/pods/probe.h"

#include <algorithm>

#include "nodeagent/pods/checks/check_kind.h"

namespace nodeagent {
uint16_t PortOf(base::Value container, base::Value port) {
  int64_t number = port.AsInt();
  if (port.IsString()) number = Named(container["ports"], port.AsString())["containerPort"].AsInt();
  return number > 0 && number < 65536 ? static_cast<uint16_t>(number) : 0;
}

std::string HostOf(const PodContext& context, base::Value body) {
  const std::string_view host = body["host"].AsString();
  return host.empty() ? context.ip : std::string(host);
}

std::string_view ToString(ProbeKind kind) {
  switch (kind) {
    case ProbeKind::kStartup: return "Startup";
    case ProbeKind::kReadiness: return "Readiness";
    case ProbeKind::kLiveness: return "Liveness";
  }
  return "";
}

base::Value ProbeField(base::Value container, ProbeKind kind) {
  switch (kind) {
    case ProbeKind::kStartup: return container["startupProbe"];
    case ProbeKind::kReadiness: return container["readinessProbe"];
    case ProbeKind::kLiveness: return container["livenessProbe"];
  }
  return {};
}

Check CheckOf(const PodContext& context, base::Value container, base::Value handler) {
  for (const CheckKind* kind : AllCheckKinds()) {
    if (const base::Value body = handler[kind->field]; body.Exists()) {
      return kind->read(context, container, body);
    }
  }
  return {};
}

Probe ProbeOf(const PodContext& context, base::Value container, ProbeKind kind) {
  const base::Value field = ProbeField(container, kind);
  const auto seconds = [&field](const char* name, int64_t fallback, int64_t least) {
    return base::Duration::Seconds(std::max(least, field[name].AsInt(fallback)));
  };
  Probe probe;
  probe.container_name = container["name"].AsString();
  probe.kind = kind;
  probe.check = CheckOf(context, container, field);
  probe.initial_delay = seconds("initialDelaySeconds", 0, 0);
  probe.period = seconds("periodSeconds", 10, 1);
  probe.timeout = seconds("timeoutSeconds", 1, 1);
  probe.success_threshold = std::max<int64_t>(1, field["successThreshold"].AsInt(1));
  probe.failure_threshold = std::max<int64_t>(1, field["failureThreshold"].AsInt(3));
  return probe;
}

}  // namespace nodeagent

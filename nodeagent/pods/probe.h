// Probe: what is asked of a running container, and when.
//
// Values; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "base/time.h"
#include "nodeagent/pod_context.h"

namespace nodeagent {

// What is done once: a probe asks it again and again, a hook once.
struct Check {
  enum class Kind { kNone, kExec, kHttp, kTcp, kGrpc, kSleep };
  Kind kind = Kind::kNone;
  std::vector<std::string> command;  // kExec
  std::string host;                  // kHttp, kTcp, kGrpc: an address
  uint16_t port = 0;
  bool tls = false;  // kHttp; the certificate is not verified, as Kubernetes says
  std::string path;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string service;   // kGrpc: whose health is asked for; "" is the server's
  base::Duration sleep;  // kSleep
  bool operator==(const Check&) const = default;
};

// What a check found.
struct CheckAnswer {
  CheckAnswer(base::Status found = {}) : status(std::move(found)) {}  // NOLINT: implicit by design
  operator base::Status() const { return status; }                    // NOLINT: implicit by design
  base::Status status;
  std::string warning;  // of one that passed, for people
};

enum class ProbeKind { kStartup, kReadiness, kLiveness };
std::string_view ToString(ProbeKind kind);

struct Probe {
  std::string container_id;
  std::string container_name;
  ProbeKind kind = ProbeKind::kReadiness;
  Check check;
  base::WallTime started_at;  // of the container
  base::Duration initial_delay, period, timeout;
  int64_t success_threshold = 1;
  int64_t failure_threshold = 3;
  bool operator==(const Probe&) const = default;
};

// What the probes of a container have found so far.
struct ProbeVerdict {
  bool known = false;      // readiness was asked often enough for an answer
  bool ready = false;      // by the readiness probe
  bool started = false;    // by the startup probe
  bool unhealthy = false;  // by the startup or liveness probe: the container shall be stopped
  std::string message;     // of the last failure
  bool operator==(const ProbeVerdict&) const = default;
};

// The handler of a probe or hook of `container`; kNone if it has none that is served.
Check CheckOf(const PodContext& context, base::Value container, base::Value handler);

// The probe in a container's field of that kind. Its `container_id` and `started_at` are the
// caller's to set.
Probe ProbeOf(const PodContext& context, base::Value container, ProbeKind kind);
base::Value ProbeField(base::Value container, ProbeKind kind);

}  // namespace nodeagent

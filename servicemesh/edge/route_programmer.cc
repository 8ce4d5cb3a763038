#include "servicemesh/edge/route_programmer.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <sstream>
#include <utility>

#include "base/edge/files.h"
#include "base/edge/process.h"
#include "servicemesh/edge/netns.h"

namespace servicemesh {
namespace {

constexpr base::Duration kIpTimeout = base::Duration::Seconds(30);

base::Result<std::string> RunIp(const std::string& network_namespace, std::vector<std::string> argv,
                                const std::string& input) {
  base::ProcessOptions options;
  options.argv = std::move(argv);
  options.network_namespace = network_namespace;
  const base::Result<base::RunOutput> run = base::RunProcess(options, input, kIpTimeout);
  RETURN_IF_ERROR(run.status());
  if (run->exit.ok()) return run->output;
  return base::Status(base::Code::kUnavailable, "ip cannot set the routes of this node: " +
                                                    run->error.substr(0, run->error.find('\n')) +
                                                    "; are all nodes on one link?");
}

// Our routes in the kernel, of which only the ranges matter.
base::Result<RoutePlan> ReadRoutes(const std::string& network_namespace) {
  ASSIGN_OR_RETURN(
      const std::string text,
      RunIp(network_namespace,
            {"ip", "-4", "route", "show", "proto", std::to_string(kRouteProtocol)}, {}));
  RoutePlan plan;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const base::Result<base::Cidr> range = base::Cidr::Parse(line.substr(0, line.find(' ')));
    if (range.ok()) plan.routes.push_back({*range, {}, {}});
  }
  return plan;
}

// -force: one route that cannot be set must not keep the others from being set.
base::Status Program(const std::string& network_namespace, const std::string& batch) {
  if (batch.empty()) return {};
  return RunIp(network_namespace, {"ip", "-force", "-batch", "-"}, batch).status();
}

base::Status WriteSetting(const char* path) {
  const base::UniqueFd fd(open(path, O_WRONLY | O_CLOEXEC));
  if (fd.valid() && write(fd.get(), "1\n", 2) == 2) return {};
  return base::ErrnoStatus(std::string("set ") + path + " to 1", errno);
}

base::Result<bool> Enable(const std::string& network_namespace) {
  const auto scope = ScopedNetns::Enter(network_namespace);
  RETURN_IF_ERROR(scope.status());
  RETURN_IF_ERROR(WriteSetting("/proc/sys/net/ipv4/ip_forward"));
  constexpr char kBridgeFilter[] = "/proc/sys/net/bridge/bridge-nf-call-iptables";
  if (access(kBridgeFilter, F_OK) != 0) return false;
  RETURN_IF_ERROR(WriteSetting(kBridgeFilter));
  return true;
}

}  // namespace

RouteProgrammer::RouteProgrammer(base::Loop& loop, std::string network_namespace)
    : loop_(loop), network_namespace_(std::move(network_namespace)) {}

void RouteProgrammer::EnableForwarding(std::function<void(base::Result<bool>)> done) {
  CHECK(!busy_);
  busy_ = true;
  loop_.Offload([this, tie = lifeline_.tie(), path = network_namespace_,
                 done = std::move(done)]() -> base::Loop::Task {
    return tie.Wrap([this, done, result = Enable(path)] {
      busy_ = false;
      done(result);
    });
  });
}

void RouteProgrammer::Set(RoutePlan plan, std::function<void(base::Status)> done) {
  CHECK(!busy_);
  busy_ = true;
  auto was = known_ ? std::make_shared<const RoutePlan>(programmed_) : nullptr;
  auto is = std::make_shared<const RoutePlan>(std::move(plan));
  loop_.Offload([this, tie = lifeline_.tie(), path = network_namespace_, was, is,
                 done = std::move(done)]() -> base::Loop::Task {
    base::Result<RoutePlan> from = was ? base::Result<RoutePlan>(*was) : ReadRoutes(path);
    const base::Status status = from.ok() ? Program(path, ToIpBatch(*from, *is)) : from.status();
    return tie.Wrap([this, is, done, status] {
      busy_ = false;
      known_ = status.ok();
      programmed_ = *is;
      done(status);
    });
  });
}

}  // namespace servicemesh

// PodStreams: serves what the control plane asks of the node's pods over streams: the logs of their
// containers, commands in them.
//
// Loop only.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/lifeline.h"
#include "base/loop.h"
#include "base/net/duplex.h"
#include "base/net/relay.h"
#include "nodeagent/pod_context.h"
#include "nodeagent/pods/container_logs.h"
#include "nodeagent/pods/log_follower.h"
#include "nodeagent/pods/runtime.h"
#include "state/view.h"

namespace nodeagent {

class PodStreams {
 public:
  // `running` gives the paths of the logs that are being written. All outlive it.
  PodStreams(base::Loop& loop, const NodeFacts& node, ContainerLogs& logs,
             std::function<std::vector<std::string>()> running);

  // From now on there is a runtime; it outlives this.
  void UseRuntime(Runtime& runtime) { runtime_ = &runtime; }

  // `view` is what the node knows of its pods.
  void Open(const state::View& view, const state::StreamRequest& request,
            std::unique_ptr<base::Duplex> stream);

 private:
  void Start(const state::Object& pod, const state::LogRequest& request,
             std::unique_ptr<base::Duplex> stream);
  void Start(const state::Object& pod, const state::ExecRequest& request,
             std::unique_ptr<base::Duplex> stream);
  // Says how it ended, and waits until that is heard.
  void End(std::unique_ptr<base::Duplex> stream, const base::Status& status);

  base::Loop& loop_;
  const NodeFacts& node_;
  ContainerLogs& logs_;
  const std::function<std::vector<std::string>()> running_;
  Runtime* runtime_ = nullptr;
  uint64_t last_id_ = 0;
  std::map<uint64_t, std::unique_ptr<LogFollower>> followers_;
  std::map<uint64_t, std::unique_ptr<base::Relay>> commands_;
  std::map<uint64_t, std::unique_ptr<base::Duplex>> ending_;
  base::Lifeline lifeline_;
};

}  // namespace nodeagent

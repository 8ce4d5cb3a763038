// NodeReporter: keeps the Node object as the machine is. It asks the runtime whether it is ready,
// and reports on change and once a minute.
//
// Loop only. Borrows what it is made of. A restart of the agent alone changes nothing: the Node
// keeps what it says until the runtime has answered, or kRuntimeWait has passed.
#pragma once

#include <functional>

#include "base/lifeline.h"
#include "base/loop.h"
#include "nodeagent/pods/runtime.h"
#include "nodeagent/session/agent_session.h"
#include "nodeagent/session/node_status.h"

namespace nodeagent {

class NodeReporter {
 public:
  // `read` says what the machine is now; runtime_problem is found out here.
  NodeReporter(base::Loop& loop, AgentSession& session, std::function<Machine()> read);
  ~NodeReporter();

  // After the session's Start: a node that the View does not know says that it is there.
  void Start();
  // The runtime has been started.
  void Watch(Runtime& runtime);

 private:
  void Ask();
  void Answered(const base::Status& status);
  void Report();
  void ReportAfter(base::Duration delay);

  base::Loop& loop_;
  AgentSession& session_;
  const std::function<Machine()> read_;
  Runtime* runtime_ = nullptr;
  base::Status ready_;  // kUnavailable until the runtime has answered
  base::Json last_;
  base::Loop::TimerId report_timer_ = 0, ask_timer_ = 0;
  base::Lifeline lifeline_;
};

inline constexpr base::Duration kNodeReportPeriod = base::Duration::Seconds(60);
// How often the runtime is asked: until it is ready, and then.
inline constexpr base::Duration kReadyPoll = base::Duration::Millis(500);
inline constexpr base::Duration kReadyPeriod = base::Duration::Seconds(10);
inline constexpr base::Duration kRuntimeWait = base::Duration::Seconds(30);

}  // namespace nodeagent

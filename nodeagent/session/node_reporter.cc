#include "nodeagent/session/node_reporter.h"

#include <map>
#include <string>
#include <utility>

namespace nodeagent {

NodeReporter::NodeReporter(base::Loop& loop, AgentSession& session, std::function<Machine()> read)
    : loop_(loop),
      session_(session),
      read_(std::move(read)),
      ready_(base::Code::kUnavailable, "the container runtime is starting") {}

NodeReporter::~NodeReporter() {
  loop_.Cancel(report_timer_);
  loop_.Cancel(ask_timer_);
}

void NodeReporter::Start() {
  const state::ObjectPtr known = session_.view().Get("nodes", "", read_().name);
  if (known == nullptr || (*known)["status"]["conditions"].empty()) return Report();
  last_ = (*known)["status"].ToJson();
  ReportAfter(kRuntimeWait);
}

void NodeReporter::Watch(Runtime& runtime) {
  runtime_ = &runtime;
  Ask();
}

void NodeReporter::Ask() {
  runtime_->Ready(lifeline_.Wrap([this](const base::Status& status) { Answered(status); }));
}

void NodeReporter::Answered(const base::Status& status) {
  const bool changed = status.ok() != ready_.ok();
  ready_ = status;
  if (changed) Report();
  ask_timer_ = loop_.After(status.ok() ? kReadyPeriod : kReadyPoll, [this] { Ask(); });
}

void NodeReporter::Report() {
  Machine machine = read_();
  machine.runtime_problem = ready_.message();
  last_ = BuildNodeStatus(machine, last_, loop_.now().wall);
  std::map<std::string, std::string> labels;
  const base::Json node = BuildNode(machine);
  for (const base::Json::Member& label : node["metadata"]["labels"].Members()) {
    labels[label.key] = label.value.AsString();
  }
  session_.ReportNode(std::move(labels), last_);
  ReportAfter(kNodeReportPeriod);
}

void NodeReporter::ReportAfter(base::Duration delay) {
  loop_.Cancel(report_timer_);
  report_timer_ = loop_.After(delay, [this] { Report(); });
}

}  // namespace nodeagent

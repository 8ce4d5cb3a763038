// PushReply: answers a push for all applications that its source has, until each of them has come
// to an end. Loop only.
//
// With one application it is as if the application spoke itself. With several, each line says
// whose it is, and a last one says how the push went: it is healthy when all are.
#pragma once

#include <memory>
#include <set>
#include <string>

#include "gitsync/plan/history.h"
#include "gitsync/source/push.h"

namespace gitsync {

class PushReply {
 public:
  PushReply(std::shared_ptr<HookSession> session, const std::set<std::string>& applications)
      : session_(std::move(session)), pending_(applications), several_(applications.size() > 1) {}

  void Print(const std::string& application, const std::string& line);
  // Its last line. Each application ends once; the push with the last of them.
  void End(const std::string& application, DeployPhase phase, const std::string& line);
  // What is printed before a line of it: "back: ", or nothing.
  std::string Prefix(const std::string& application) const {
    return several_ ? application + ": " : "";
  }
  HookSession& session() { return *session_; }

 private:
  void Conclude();

  const std::shared_ptr<HookSession> session_;
  std::set<std::string> pending_, failed_, superseded_;
  size_t healthy_ = 0;
  const bool several_;
};

}  // namespace gitsync

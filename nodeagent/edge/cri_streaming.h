// CriStreaming: the way to a runtime's streaming server, where commands are served that CRI's Exec
// has prepared.
//
// Loop only.
#pragma once

#include <string>

#include "base/edge/poller.h"
#include "base/loop.h"
#include "nodeagent/pods/spdy_command.h"

namespace nodeagent {

class CriStreaming {
 public:
  explicit CriStreaming(base::Loop& loop) : loop_(loop) {}

  // Starts `command` at the URL, "http://127.0.0.1:PORT/exec/TOKEN"; one that leads nowhere fails it.
  void Connect(const std::string& url, SpdyCommand& command);

 private:
  base::Loop& loop_;
  base::Poller poller_;
  bool started_ = false;
};

}  // namespace nodeagent

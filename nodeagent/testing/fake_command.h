// FakeCommand: a program of the fake runtime that runs with its input and output open.
//
//   echo WORDS     prints them            warn WORDS   the same, to standard error
//   cat            prints its input until that ends
//   true, false, "exit CODE", "sleep SECONDS"
//   "zeros BYTES"  prints so many zero bytes, as fast as they are taken
//   size           prints "COLUMNSxROWS" when it is told the terminal's size
//
// Loop only.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/lifeline.h"
#include "base/loop.h"
#include "base/net/duplex.h"
#include "base/net/remote_channels.h"
#include "state/pod_stream.h"

namespace nodeagent {

class FakeCommand {
 public:
  // `end` is paused. With a `failed` that is not OK there is no command. `done` is called when
  // `end` is closed.
  FakeCommand(base::Loop& loop, std::unique_ptr<base::Duplex> end,
              const state::ExecRequest& request, const base::Status& failed,
              std::function<void()> done);

 private:
  void Run();
  void Receive(base::RemoteChannel channel, std::string_view payload);
  void Print(base::RemoteChannel channel, std::string_view text);
  void PrintZeros();
  void Exit(int code);
  std::string Words() const;

  base::Loop& loop_;
  const std::unique_ptr<base::Duplex> end_;
  const state::ExecRequest request_;
  base::RemoteMessageReader reader_;
  size_t zeros_left_ = 0;
  bool ended_ = false;
  base::Lifeline lifeline_;
};

}  // namespace nodeagent

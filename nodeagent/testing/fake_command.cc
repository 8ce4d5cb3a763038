#include "nodeagent/testing/fake_command.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "base/json.h"

namespace nodeagent {
namespace {

constexpr size_t kPieceBytes = 16u << 10;

}  // namespace

FakeCommand::FakeCommand(base::Loop& loop, std::unique_ptr<base::Duplex> end,
                         const state::ExecRequest& request, const base::Status& failed,
                         std::function<void()> done)
    : loop_(loop), end_(std::move(end)), request_(request) {
  end_->Listen({.bytes =
                    [this](std::string_view bytes) {
                      const base::Status read = reader_.Feed(
                          bytes, [this](base::RemoteChannel channel, std::string_view payload) {
                            Receive(channel, payload);
                          });
                      CHECK(read.ok());
                    },
                .closed = [done = std::move(done)](const base::Status&) { done(); },
                .drained = [this] { PrintZeros(); }});
  if (failed.ok()) {
    Run();
  } else {
    ended_ = true;
    end_->Finish(failed);
  }
  loop_.Post(lifeline_.Wrap([this] { end_->SetPaused(false); }));
}

void FakeCommand::Run() {
  const std::string program = request_.command.empty() ? "" : request_.command.front();
  const std::string argument = request_.command.size() < 2 ? "" : request_.command[1];
  if (program == "echo" || program == "warn") {
    Print(program == "echo" ? base::RemoteChannel::kStdout : base::RemoteChannel::kStderr,
          Words() + "\n");
    Exit(0);
  } else if (program == "true" || program == "false") {
    Exit(program == "true" ? 0 : 1);
  } else if (program == "exit") {
    Exit(std::atoi(argument.c_str()));
  } else if (program == "sleep") {
    loop_.After(base::Duration::Seconds(std::atoi(argument.c_str())),
                lifeline_.Wrap([this] { Exit(0); }));
  } else if (program == "zeros") {
    zeros_left_ = static_cast<size_t>(std::atoll(argument.c_str()));
    PrintZeros();
  } else if (program != "cat" && program != "size") {
    ended_ = true;
    end_->Finish(
        base::Status(base::Code::kInternal, "no program \"" + program + "\" in the image"));
  }
}

void FakeCommand::Receive(base::RemoteChannel channel, std::string_view payload) {
  const std::string& program = request_.command.front();
  if (channel == base::RemoteChannel::kStdin && program == "cat") {
    Print(base::RemoteChannel::kStdout, payload);
  } else if (channel == base::RemoteChannel::kClose && program == "cat") {
    Exit(0);
  } else if (channel == base::RemoteChannel::kResize && program == "size") {
    const base::Result<base::Json> size = base::ParseJson(payload);
    CHECK(size.ok());
    const base::Json& told = *size;
    Print(base::RemoteChannel::kStdout, std::to_string(told["Width"].AsInt()) + "x" +
                                            std::to_string(told["Height"].AsInt()) + "\n");
    Exit(0);
  }
}

void FakeCommand::Print(base::RemoteChannel channel, std::string_view text) {
  if (!ended_) end_->Write(base::RemoteMessage(channel, text));
}

void FakeCommand::PrintZeros() {
  if (ended_ || request_.command.front() != "zeros") return;
  while (zeros_left_ > 0 && end_->Backlog() < base::kRefillDuplexBacklog) {
    const size_t size = std::min(zeros_left_, kPieceBytes);
    Print(base::RemoteChannel::kStdout, std::string(size, '\0'));
    zeros_left_ -= size;
  }
  if (zeros_left_ == 0) Exit(0);
}

void FakeCommand::Exit(int code) {
  if (std::exchange(ended_, true)) return;
  end_->Write(base::RemoteMessage(base::RemoteChannel::kStatus, base::RemoteExitStatus(code)));
  end_->Finish();
}

std::string FakeCommand::Words() const {
  std::string words;
  for (size_t i = 1; i < request_.command.size(); ++i) {
    words += (i > 1 ? " " : "") + request_.command[i];
  }
  return words;
}

}  // namespace nodeagent

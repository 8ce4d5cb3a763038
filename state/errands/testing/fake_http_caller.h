// FakeHttpCaller: calls to servers that live in the test or the simulation, in virtual time.
//
// The servers outlive the processes that call them. A call that was taken when its process ends has
// been taken: nobody is told.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/lifeline.h"
#include "base/loop.h"
#include "state/errands/http_caller.h"

namespace state {

// Somebody else's server.
class FakeHttpServer {
 public:
  virtual ~FakeHttpServer() = default;
  // What one call takes to it, or an answer back.
  virtual base::Duration Latency() { return base::Duration::Millis(5); }
  // Takes a call. Nothing: it says nothing.
  virtual std::optional<HttpAnswer> Take(const HttpCall& call) = 0;
};

// Those that there are, by origin. Nobody is anywhere else.
using FakeHttpServers = std::map<std::string, FakeHttpServer*>;

class FakeHttpCaller final : public HttpCaller {
 public:
  // What is under way ends with `process`; `servers` outlives it.
  FakeHttpCaller(base::Loop& process, const FakeHttpServers& servers)
      : process_(process), servers_(servers) {}

  void Call(HttpCall call, std::function<void(HttpAnswer)> done) override;

 private:
  struct Exchange {
    HttpCall call;
    std::function<void(HttpAnswer)> done;  // null: it has ended
    base::Loop::TimerId limit = 0;
  };
  void End(Exchange& exchange, HttpAnswer answer);

  base::Loop& process_;
  const FakeHttpServers& servers_;
  base::Lifeline lifeline_;
};

// Answers as it is told, and remembers what it was asked.
class ScriptedHttpServer final : public FakeHttpServer {
 public:
  base::Duration Latency() override { return latency; }
  std::optional<HttpAnswer> Take(const HttpCall& call) override;

  std::vector<HttpCall> calls;
  // Of the next calls; then 204. Nothing: silence.
  std::deque<std::optional<HttpAnswer>> answers;
  base::Duration latency = base::Duration::Millis(5);
};

// Of a call; empty if it has none of this name.
std::string HeaderOf(const HttpCall& call, std::string_view name);

}  // namespace state

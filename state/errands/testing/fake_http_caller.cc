#include "state/errands/testing/fake_http_caller.h"

#include <algorithm>
#include <utility>

namespace state {
namespace {

constexpr base::Duration kRefusal = base::Duration::Millis(1);

bool HasLineBreak(const HttpCall& call) {
  return std::any_of(call.headers.begin(), call.headers.end(), [](const auto& header) {
    return header.second.find_first_of("\r\n") != std::string::npos;
  });
}

}  // namespace

void FakeHttpCaller::Call(HttpCall call, std::function<void(HttpAnswer)> done) {
  const auto exchange = std::make_shared<Exchange>();
  exchange->call = std::move(call);
  exchange->done = std::move(done);
  const std::string origin = OriginOf(exchange->call.url);
  const auto end_with = [this, exchange](base::Code code, const std::string& why) {
    return lifeline_.Wrap(
        [this, exchange, code, why] { End(*exchange, {.status = base::Status(code, why)}); });
  };
  if (origin.empty() || HasLineBreak(exchange->call)) {
    return process_.Post(end_with(base::Code::kInvalid, "no such call can be made"));
  }
  const auto found = servers_.find(origin);
  if (found == servers_.end()) {
    process_.After(kRefusal, end_with(base::Code::kUnavailable, "cannot connect to " + origin));
    return;
  }
  exchange->limit =
      process_.After(exchange->call.time_limit,
                     end_with(base::Code::kUnavailable, origin + " did not answer in time"));
  FakeHttpServer& server = *found->second;
  process_.After(server.Latency(), lifeline_.Wrap([this, exchange, &server] {
    std::optional<HttpAnswer> answer = server.Take(exchange->call);
    if (!answer) return;
    answer->body.resize(std::min(answer->body.size(), kMaxHttpAnswerBytes));
    process_.After(server.Latency(),
                   lifeline_.Wrap([this, exchange, answer = *std::move(answer)]() mutable {
                     End(*exchange, std::move(answer));
                   }));
  }));
}

void FakeHttpCaller::End(Exchange& exchange, HttpAnswer answer) {
  process_.Cancel(exchange.limit);
  if (const auto done = std::exchange(exchange.done, nullptr)) done(std::move(answer));
}

std::string HeaderOf(const HttpCall& call, std::string_view name) {
  for (const auto& [known, value] : call.headers) {
    if (known == name) return value;
  }
  return "";
}

std::optional<HttpAnswer> ScriptedHttpServer::Take(const HttpCall& call) {
  calls.push_back(call);
  if (answers.empty()) return HttpAnswer{.code = 204};
  std::optional<HttpAnswer> answer = std::move(answers.front());
  answers.pop_front();
  return answer;
}

}  // namespace state

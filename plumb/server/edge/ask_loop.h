// AskLoop: what a worker of the HTTP server asks of the loop, and waits for.
#pragma once

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <utility>

#include "base/loop.h"
#include "base/status.h"

namespace plumb {

// The loop answers within a turn; only one that has stopped does not.
inline constexpr std::chrono::seconds kLoopWait{30};

// `ask` runs on the loop and calls its argument once, now or later. kUnavailable if it does not in
// time. Never from the loop itself.
template <typename T>
base::Result<T> AskLoop(base::Loop& loop,
                        std::function<void(std::function<void(base::Result<T>)>)> ask) {
  auto promise = std::make_shared<std::promise<base::Result<T>>>();
  std::future<base::Result<T>> answer = promise->get_future();
  loop.Post([promise, ask = std::move(ask)] {
    ask([promise](base::Result<T> result) { promise->set_value(std::move(result)); });
  });
  if (answer.wait_for(kLoopWait) != std::future_status::ready) {
    return base::Status(base::Code::kUnavailable, "the server is stopping; ask again later");
  }
  return answer.get();
}

}  // namespace plumb

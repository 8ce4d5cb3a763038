#include "plumb/server/log_tails.h"

#include <utility>

#include "gitsync/deploy/container_log.h"

namespace plumb {

void LogTails::Read(const state::PodStream& log, std::function<void(std::string)> done) {
  const uint64_t id = ++last_id_;
  Tail& tail = tails_[id];
  tail.done = std::move(done);
  tail.stream = hub_.Open(log.node, log.request);
  const auto end = [this, id](const base::Status&) { End(id); };
  tail.stream->Listen({.bytes =
                           [&text = tail.text](std::string_view bytes) {
                             text.append(bytes);
                             if (text.size() <= gitsync::kMaxLogTailBytes) return;
                             text.erase(0, text.size() - gitsync::kMaxLogTailBytes);
                           },
                       .finished = end,
                       .closed = end});
}

void LogTails::End(uint64_t id) {
  Tail tail = std::move(tails_.extract(id).mapped());
  tail.done(std::move(tail.text));
}

}  // namespace plumb

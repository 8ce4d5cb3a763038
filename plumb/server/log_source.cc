// The head of the answer waits for the node's first word: a container that has no log yet is an
// error with a code of its own, not an empty 200.
#include "plumb/server/log_source.h"

namespace plumb {
namespace {

struct Relay {
  std::unique_ptr<base::Reply> reply;
  std::unique_ptr<base::Stream> stream;
  uint64_t id = 0;
};

base::HttpResponse Head() {
  base::HttpResponse head;
  head.content_type = "text/plain; charset=utf-8";
  return head;
}

nodeagent::LogRequest ToNode(const state::LogRequest& request, base::WallTime now) {
  nodeagent::LogRequest log;
  log.pod = request.pod->key;
  log.container = request.container;
  log.follow = request.follow;
  log.previous = request.previous;
  log.timestamps = request.timestamps;
  log.tail_lines = request.tail_lines.value_or(-1);
  log.limit_bytes = request.limit_bytes.value_or(-1);
  if (request.since_time) log.since = *request.since_time;
  if (request.since_seconds) log.since = now - base::Duration::Seconds(*request.since_seconds);
  return log;
}

}  // namespace

state::ApiServer::LogSource NodeLogSource(base::Loop& loop, nodeagent::Hub& hub) {
  return [&loop, &hub](const state::LogRequest& request, std::unique_ptr<base::Reply> reply) {
    auto relay = std::make_shared<Relay>();
    relay->reply = std::move(reply);
    const std::string node((*request.pod)["spec"]["nodeName"].AsString());
    relay->id =
        hub.OpenLogs(node, ToNode(request, loop.now().wall),
                     [relay, &hub](std::string_view bytes, bool end, const base::Status& status) {
                       if (!relay->stream) {
                         if (!relay->reply) return;
                         if (end && !status.ok() && bytes.empty()) {
                           relay->reply->Send(base::FailureResponse(status));
                           relay->reply.reset();
                           return;
                         }
                         relay->stream = relay->reply->Start(Head());
                         relay->reply.reset();
                         relay->stream->OnClosed([weak = std::weak_ptr<Relay>(relay), &hub] {
                           if (const auto still = weak.lock()) hub.CloseLogs(still->id);
                         });
                       }
                       const bool written = bytes.empty() || relay->stream->Write(bytes);
                       if (!end && !written) hub.CloseLogs(relay->id);
                       if (end || !written) relay->stream.reset();
                     });
  };
}

void ReadLogTail(nodeagent::Hub& hub, const gitsync::ContainerLogRequest& request,
                 std::function<void(std::string)> done) {
  nodeagent::LogRequest log;
  log.pod = request.pod->key;
  log.container = request.container;
  log.previous = request.previous;
  log.tail_lines = gitsync::kMaxLogLines;
  const auto text = std::make_shared<std::string>();
  hub.OpenLogs(
      std::string((*request.pod)["spec"]["nodeName"].AsString()), log,
      [text, done = std::move(done)](std::string_view bytes, bool end, const base::Status&) {
        text->append(bytes);
        if (text->size() > gitsync::kMaxLogTailBytes) {
          text->erase(0, text->size() - gitsync::kMaxLogTailBytes);
        }
        if (end) done(std::move(*text));
      });
}

}  // namespace plumb

// Rules:
// - The head of a log waits for the node's first word: a container that has no log yet is an error
//   with a code of its own, not an empty 200.
//   Until then, too, it is noticed that the client has gone.
// - A client that reads a log slowly holds the node back; so does one that reads a command's output
//   slowly, and a command that does not read its input the client.
// - A WebSocket is opened at once: what goes wrong later is told on its status channel, where
//   clients of the protocol look for it.
#include "state/api/stream_relays.h"

#include <utility>
#include <vector>

namespace state {
namespace {

constexpr size_t kMaxLogBacklog = 256u << 10;

base::HttpResponse LogHead() {
  base::HttpResponse head;
  head.content_type = "text/plain; charset=utf-8";
  return head;
}

}  // namespace

base::Result<base::WebSocketHandshake> StreamRelays::Handshake(const base::HttpRequest& request) {
  if (!base::WantsWebSocket(request)) {
    return base::Status(base::Code::kBadRequest,
                        "commands are served over WebSockets (v5.channel.k8s.io), not over SPDY; "
                        "kubectl speaks them since 1.31");
  }
  ASSIGN_OR_RETURN(base::WebSocketHandshake handshake,
                   base::AcceptWebSocket(request, {"v5.channel.k8s.io", "v4.channel.k8s.io"}));
  if (!handshake.protocol.empty()) return handshake;
  return base::Status(base::Code::kBadRequest,
                      "Sec-WebSocket-Protocol is missing; offer v5.channel.k8s.io");
}

void StreamRelays::ServeLog(std::unique_ptr<base::Duplex> node,
                            std::unique_ptr<base::Reply> reply) {
  const uint64_t id = ++last_id_;
  Log& log = logs_[id];
  log.node = std::move(node);
  log.reply = std::move(reply);
  log.reply->OnGone([this, id] { logs_.erase(id); });
  const auto end = [this, id](const base::Status& status) { EndLog(id, status); };
  log.node->Listen({.bytes = [this, id](std::string_view bytes) { PassLog(id, bytes); },
                    .finished = end,
                    .closed = end});
}

void StreamRelays::PassLog(uint64_t id, std::string_view bytes) {
  Log& log = logs_.at(id);
  if (!log.stream) {
    log.stream = log.reply->Start(LogHead());
    log.reply.reset();
    log.stream->OnClosed([this, id] { logs_.erase(id); });
    log.stream->OnDrained(kMaxLogBacklog, [this, id] {
      const auto found = logs_.find(id);
      if (found != logs_.end()) found->second.node->SetPaused(false);
    });
  }
  if (!log.stream->Write(bytes)) {
    logs_.erase(id);
  } else if (log.stream->Backlog() >= kMaxLogBacklog) {
    log.node->SetPaused(true);
  }
}

void StreamRelays::EndLog(uint64_t id, const base::Status& status) {
  Log log = std::move(logs_.extract(id).mapped());
  if (!log.reply) return;
  if (!status.ok()) return log.reply->Send(base::FailureResponse(status));
  log.reply->Start(LogHead());  // a log that is there, and empty
}

void StreamRelays::ServeExec(std::unique_ptr<base::Duplex> node,
                             const base::WebSocketHandshake& handshake,
                             std::unique_ptr<base::Reply> reply) {
  const uint64_t id = ++last_id_;
  Command& command = commands_[id];
  command.node = std::move(node);
  command.client = std::make_unique<base::WebSocket>(
      reply->Upgrade(handshake.response),
      base::WebSocket::Events{
          .message = [this, id](std::string_view message) { PassInput(id, message); },
          .closed = [this, id](const base::Status&) { commands_.erase(id); },
          .drained = [this, id] { commands_.at(id).node->SetPaused(false); }});
  const auto end = [this, id](const base::Status& status) { EndCommand(id, status); };
  command.node->Listen({.bytes = [this, id](std::string_view bytes) { PassOutput(id, bytes); },
                        .finished = end,
                        .closed = end,
                        .drained = [this, id] { commands_.at(id).client->SetPaused(false); }});
}

void StreamRelays::PassInput(uint64_t id, std::string_view message) {
  if (message.empty()) return;  // the protocol's way to say that it is there
  Command& command = commands_.at(id);
  const auto channel = static_cast<base::RemoteChannel>(static_cast<uint8_t>(message.front()));
  command.node->Write(base::RemoteMessage(channel, message.substr(1)));
  if (command.node->Backlog() >= base::kRefillDuplexBacklog) command.client->SetPaused(true);
}

void StreamRelays::PassOutput(uint64_t id, std::string_view bytes) {
  Command& command = commands_.at(id);
  const base::Status read = command.from_node.Feed(
      bytes, [&command](base::RemoteChannel channel, std::string_view payload) {
        command.told |= channel == base::RemoteChannel::kStatus;
        std::string message(1, static_cast<char>(channel));
        message.append(payload);
        command.client->SendBinary(message);
      });
  if (!read.ok()) return EndCommand(id, read);
  if (command.client->Backlog() >= base::kRefillDuplexBacklog) command.node->SetPaused(true);
}

void StreamRelays::EndCommand(uint64_t id, const base::Status& status) {
  Command command = std::move(commands_.extract(id).mapped());
  if (!command.told) {
    const base::Status why =
        status.ok() ? base::Status(base::Code::kInternal, "the command ended without a status")
                    : status;
    std::string message(1, static_cast<char>(base::RemoteChannel::kStatus));
    message += base::RemoteFailureStatus(why);
    command.client->SendBinary(message);
  }
  command.client->Close(base::kWebSocketNormal, "");
}

}  // namespace state

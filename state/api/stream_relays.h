// StreamRelays: streams between API clients and pods' nodes: a log as a response without end, a
// command as a WebSocket of Kubernetes' remote command protocol.
//
// Loop only. Clients that go away hang up on the node; destroying this hangs up on all.
#pragma once

#include <cstdint>
#include <map>
#include <memory>

#include "base/net/duplex.h"
#include "base/net/exchange.h"
#include "base/net/remote_channels.h"
#include "base/net/websocket.h"
#include "base/status.h"

namespace state {

class StreamRelays {
 public:
  // Of a request for a command. kBadRequest if it does not speak v5.channel.k8s.io or v4.
  static base::Result<base::WebSocketHandshake> Handshake(const base::HttpRequest& request);

  void ServeLog(std::unique_ptr<base::Duplex> node, std::unique_ptr<base::Reply> reply);
  void ServeExec(std::unique_ptr<base::Duplex> node, const base::WebSocketHandshake& handshake,
                 std::unique_ptr<base::Reply> reply);

 private:
  struct Log {
    std::unique_ptr<base::Duplex> node;
    std::unique_ptr<base::Reply> reply;    // until the node's first word
    std::unique_ptr<base::Stream> stream;  // from then on
  };
  struct Command {
    std::unique_ptr<base::Duplex> node;
    std::unique_ptr<base::WebSocket> client;
    base::RemoteMessageReader from_node;
    bool told = false;  // how the command ended
  };

  void PassLog(uint64_t id, std::string_view bytes);
  void EndLog(uint64_t id, const base::Status& status);
  void PassInput(uint64_t id, std::string_view message);
  void PassOutput(uint64_t id, std::string_view bytes);
  void EndCommand(uint64_t id, const base::Status& status);

  uint64_t last_id_ = 0;
  std::map<uint64_t, Log> logs_;
  std::map<uint64_t, Command> commands_;
};

}  // namespace state

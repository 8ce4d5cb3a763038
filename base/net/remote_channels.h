// The channels of a remote command, as Kubernetes numbers them (v5.channel.k8s.io), and their
// messages one after another in a stream of bytes: channel, length, payload.
//
// Values and pure functions.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/status.h"

namespace base {

enum class RemoteChannel : uint8_t {
  kStdin = 0,
  kStdout = 1,
  kStderr = 2,
  kStatus = 3,   // a metav1.Status in JSON: how the command ended
  kResize = 4,   // {"Width":80,"Height":24}: of the terminal
  kClose = 255,  // its payload is the channel that nothing more comes on
};

inline constexpr size_t kMaxRemoteMessage = 1u << 20;

void AppendRemoteMessage(RemoteChannel channel, std::string_view payload, std::string& out);
std::string RemoteMessage(RemoteChannel channel, std::string_view payload);

// Takes messages out of a stream.
class RemoteMessageReader {
 public:
  using OnMessage = std::function<void(RemoteChannel, std::string_view payload)>;
  // Calls `on_message` with each that is whole. kTooLarge beyond kMaxRemoteMessage.
  Status Feed(std::string_view bytes, const OnMessage& on_message);

 private:
  std::string buffer_;
};

// How a command ended: with an exit code, or not at all.
std::string RemoteExitStatus(int exit_code);
std::string RemoteFailureStatus(const Status& status);

}  // namespace base

// Receive: takes webhooks and prints them as they came, for whoever wants to check them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hello {

inline constexpr size_t kMaxHeadBytes = 16384;
inline constexpr size_t kMaxBodyBytes = 1 << 20;
inline constexpr int kReceiveSeconds = 10;  // a client may be silent for so long

struct ReceiveOptions {
  uint16_t port = 8080;
  int fail_first = 0;  // requests that are answered 503 before one is taken
};
ReceiveOptions ReceiveOptionsFromEnvironment();

// One connection after the other, one request each, until SIGTERM or SIGINT; the exit code.
int Receive(const ReceiveOptions& options);

}  // namespace hello

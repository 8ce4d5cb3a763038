// Serve: the HTTP server of hello: one thread, epoll, at most kMaxConnections connections.
#pragma once

#include <cstdint>
#include <string>

namespace hello {

inline constexpr int kMaxConnections = 4096;        // more wait in the listen backlog
inline constexpr size_t kMaxRequestBytes = 16384;   // of one request's head
inline constexpr int kMaxSlowMillis = 600'000;      // of /slow
inline constexpr int kUnspokenLingerMillis = 2000;  // for a connection that has yet to ask, at the
                                                    // end

struct ServeOptions {
  uint16_t port = 8080;
  std::string version;
  std::string message;
  std::string message_file;
  int64_t ready_delay_millis = 0;
  int64_t crash_after_millis = -1;  // never
};
ServeOptions ServeOptionsFromEnvironment();

// Serves until SIGTERM or SIGINT; the exit code.
int Serve(const ServeOptions& options);

// Waits for SIGTERM or SIGINT; 0.
int Idle();

}  // namespace hello

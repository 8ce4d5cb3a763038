// Where a server is reached, as it, its agents and the commands agree on it.
#pragma once

namespace plumb {

// What plumb's own commands ask of a server.
inline constexpr const char* kConsolePrefix = "/plumb/v1";
inline constexpr const char* kBackupPath = "/plumb/v1/backup";
inline constexpr const char* kDiffPath = "/plumb/v1/diff";
inline constexpr const char* kStatusPath = "/plumb/v1/status";

// The agents' port is the one after the API's.
inline constexpr int kAgentPortOffset = 1;

}  // namespace plumb

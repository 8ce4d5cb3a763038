// The image of every sandbox, made of the program inside this binary: no network, no registry.
// Pure; any thread.
#pragma once

#include <string>

namespace nodeagent {

inline constexpr char kPauseImage[] = "plumb.dev/pause:1";

// An OCI archive, for ImportOciArchive.
std::string PauseImageArchive();

}  // namespace nodeagent

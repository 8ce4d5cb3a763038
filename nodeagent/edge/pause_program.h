// The bytes of plumb_pause (pause/pause_main.cc), a static program, inside this one. Any thread.
#pragma once

#include <string_view>

namespace nodeagent {

std::string_view PauseProgram();

}  // namespace nodeagent

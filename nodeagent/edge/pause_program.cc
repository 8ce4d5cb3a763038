// Rule: the assembler copies the file into the read-only data; CMake names the file and compiles
// this again when it changes.
#include "nodeagent/edge/pause_program.h"

asm(".section .rodata\n"
    "plumb_pause_program_begin:\n"
    ".incbin \"" PLUMB_PAUSE_PROGRAM
    "\"\n"
    "plumb_pause_program_end:\n"
    ".byte 0\n"
    ".previous\n");

extern const char plumb_pause_program_begin[];
extern const char plumb_pause_program_end[];

namespace nodeagent {

std::string_view PauseProgram() {
  return {plumb_pause_program_begin,
          static_cast<size_t>(plumb_pause_program_end - plumb_pause_program_begin)};
}

}  // namespace nodeagent

// The hook program, put into this one by the assembler. GIT_HOOK_BINARY is its path in the build.
#include <string_view>

#include "base/edge/files.h"
#include "gitsync/edge/git_host.h"

asm(R"(
  .pushsection .rodata
  .balign 16
plumb_git_hook_begin:
  .incbin ")" GIT_HOOK_BINARY R"("
plumb_git_hook_end:
  .byte 0
  .popsection
  .globl plumb_git_hook_begin
  .globl plumb_git_hook_end
)");

extern "C" const char plumb_git_hook_begin[];
extern "C" const char plumb_git_hook_end[];

namespace gitsync {

base::Status WriteHookProgram(const std::string& path) {
  const std::string_view program(plumb_git_hook_begin,
                                 static_cast<size_t>(plumb_git_hook_end - plumb_git_hook_begin));
  const base::Result<std::string> present = base::ReadFile(path, program.size() + 1);
  if (present.ok() && *present == program) return base::Status();
  return base::WriteFileAtomic(path, program, 0755);
}

}  // namespace gitsync

// The program hello, put into this one by the assembler. HELLO_BINARY is its path in the build.

#include "plumb/dev/images/demo_images.h"

asm(R"(
  .pushsection .rodata
  .balign 16
plumb_hello_begin:
  .incbin ")" HELLO_BINARY R"("
plumb_hello_end:
  .byte 0
  .popsection
  .globl plumb_hello_begin
  .globl plumb_hello_end
)");

extern "C" const char plumb_hello_begin[];
extern "C" const char plumb_hello_end[];

namespace plumb {

std::string_view HelloBinary() {
  return {plumb_hello_begin, static_cast<size_t>(plumb_hello_end - plumb_hello_begin)};
}

}  // namespace plumb

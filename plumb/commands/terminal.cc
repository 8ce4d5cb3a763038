#include "plumb/commands/terminal.h"

#include <unistd.h>

#include <chrono>
#include <cstdlib>

namespace plumb {
namespace {

bool IsSet(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0';
}

}  // namespace

bool OutputIsTerminal() { return isatty(STDOUT_FILENO) == 1; }

Style OutputStyle() {
  const char* terminal = std::getenv("TERM");
  const bool dumb = terminal != nullptr && std::string_view(terminal) == "dumb";
  return Style(OutputIsTerminal() && !IsSet("NO_COLOR") && !dumb);
}

base::WallTime WallClock() {
  using std::chrono::duration_cast;
  return base::WallTime::FromNanos(
      duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count());
}

}  // namespace plumb

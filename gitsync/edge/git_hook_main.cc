// The program that git runs as a hook: git-hook NAME --socket PATH. It is small and static, because
// each push starts it twice; the plumb binary carries it, and the server writes it beside its
// repositories (hook_program.cc).
#include <csignal>
#include <cstdio>
#include <cstring>

#include "gitsync/edge/git_host.h"

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  if (argc != 5 || std::strcmp(argv[1], "git-hook") != 0 || std::strcmp(argv[3], "--socket") != 0) {
    std::fputs("plumb: this program is run by git, as a hook of a repository\n", stderr);
    return 2;
  }
  return gitsync::RunHook(argv[2], argv[4]);
}

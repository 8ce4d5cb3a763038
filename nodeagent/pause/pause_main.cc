// The first process of a sandbox: it holds the pod's namespaces open, reaps what its containers
// leave behind when they share its process namespace, and ends when told to.
//
// The signals are blocked and waited for: the kernel drops unhandled ones sent to a first process,
// but never blocked ones.
#include <signal.h>
#include <sys/wait.h>

int main() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGCHLD);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  for (;;) {
    int signal = 0;
    if (sigwait(&signals, &signal) != 0) continue;
    if (signal != SIGCHLD) return 0;
    while (waitpid(-1, nullptr, WNOHANG) > 0) {
    }
  }
}

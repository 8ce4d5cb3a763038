// hello: the program inside the demo images: a small HTTP server, the client that hammers it, and a
// DNS client. Static and without dependencies, so that an image is this one file.
//
// It shares no code with plumb: what proves plumb must not lean on it.

#include <cstdio>
#include <cstring>

#include "tests/hello/dns.h"
#include "tests/hello/get.h"
#include "tests/hello/receive.h"
#include "tests/hello/serve.h"

namespace {

constexpr char kHelp[] =
    R"(hello: a small HTTP server, and the client that tests it

hello serve                   answer HTTP on PORT (this is the default)
  environment:
    PORT=8080                 the port to listen on
    VERSION=1                 told in every answer, and in the header X-Version
    MESSAGE=TEXT              told in the answer to /
    MESSAGE_FILE=FILE         as MESSAGE, but read from FILE for every answer
    READY_DELAY_MS=N          /healthz answers 503 for so long after the start
    CRASH_AFTER_MS=N          exit with code 1 so long after the start
  paths: /  /healthz  /slow?ms=N (answers after N milliseconds)  /crash (exits with code 1)
  SIGTERM: takes no new connection, finishes the requests under way, exits 0.

hello get URL [--count N] [--duration SECONDS] [--follow-until FILE]
              [--concurrency K] [--timeout SECONDS]
  Requests URL, each time over a new connection, until N answers, SECONDS, the existence of FILE or
  SIGTERM (at the first of those that are given; --count 1 if none is). Prints the totals by version
  and host; a failure is anything but a complete answer of 200. Exit code 1 if one failed.

hello receive                 take webhooks on PORT, print each with its webhook- headers
  environment:
    PORT=8080                 the port to listen on
    FAIL_FIRST=N              answer the first N with 503

hello dns [--type A|SRV|PTR] [--server IP[:PORT]] NAME
  Prints what the DNS servers of /etc/resolv.conf (or IP) answer, its search domains applied.

hello idle                    do nothing until SIGTERM
)";

}  // namespace

int main(int argc, char** argv) {
  const char* mode = argc > 1 ? argv[1] : "serve";
  if (!strcmp(mode, "serve")) return hello::Serve(hello::ServeOptionsFromEnvironment());
  if (!strcmp(mode, "receive")) return hello::Receive(hello::ReceiveOptionsFromEnvironment());
  if (!strcmp(mode, "get")) return hello::GetCommand(argc - 2, argv + 2);
  if (!strcmp(mode, "dns")) return hello::DnsCommand(argc - 2, argv + 2);
  if (!strcmp(mode, "idle")) return hello::Idle();
  if (!strcmp(mode, "help") || !strcmp(mode, "--help") || !strcmp(mode, "-h")) {
    fputs(kHelp, stdout);
    return 0;
  }
  fprintf(stderr, "hello: there is no command \"%s\"; see hello --help\n", mode);
  return 2;
}

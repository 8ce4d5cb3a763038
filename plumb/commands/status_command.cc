// plumb status.
#include <unistd.h>

#include <cstdio>

#include "base/net/http.h"
#include "plumb/commands/command_support.h"
#include "plumb/commands/terminal.h"
#include "plumb/endpoints.h"
#include "plumb/reports/status_text.h"
#include "plumb/server/status_feed.h"

namespace plumb {
namespace {

constexpr const char* kHelp =
    "usage: plumb status [KIND/NAME] [-n NAMESPACE] [--watch] [-o json]\n\n"
    "Without KIND/NAME: the repositories and how their last deploy ended, what is not healthy and\n"
    "why, the nodes. With it: that object and all that belongs to it, each with its reason and "
    "the\n"
    "last warnings. KIND is as kubectl knows it, or 'repo', or 'app' for one application of it.\n\n"
    "  plumb status repo/shop\n"
    "  plumb status deploy/web --watch\n\n"
    "Exit codes: 0 shown, 2 wrong usage, 4 no such object, 5 not allowed, 6 the server cannot be\n"
    "reached.\n\n"
    "  -n NAMESPACE        objects of this namespace only\n"
    "  --watch, -w         show it again whenever it changes, until Ctrl-C\n"
    "  -o json             for scripts; with --watch one report a line\n";

constexpr base::Duration kStatusWait = kStatusHeartbeat * 3;

base::Result<std::string> QueryOf(const Arguments& arguments) {
  std::string query =
      "?namespace=" + base::PercentEncode(arguments.Get("-n", arguments.Get("--namespace")));
  if (arguments.operands().empty()) return query;
  const std::string& what = arguments.operands()[0];
  const size_t slash = what.find('/');
  const bool pair = arguments.operands().size() == 2 && slash == std::string::npos;
  if (!pair && (arguments.operands().size() > 1 || slash == std::string::npos || slash == 0 ||
                slash + 1 == what.size())) {
    return base::Status(base::Code::kInvalid,
                        "one object, please: KIND/NAME, like deploy/web; see plumb status --help");
  }
  const std::string name = pair ? arguments.operands()[1] : what.substr(slash + 1);
  return query + "&kind=" + base::PercentEncode(what.substr(0, slash)) +
         "&name=" + base::PercentEncode(name);
}

void Show(const base::Json& report, const Client& client, bool json, bool repaint) {
  if (json) return PrintJson(report);
  if (repaint) std::fputs("\033[H\033[2J", stdout);
  std::fputs(StatusText(report, client.url(), WallClock(), OutputStyle()).c_str(), stdout);
  std::fflush(stdout);
}

int Watch(Client& client, const std::string& query, bool json) {
  const bool repaint = OutputIsTerminal() && !json;
  bool shown = false;
  std::string last;
  for (;;) {
    const base::Status status =
        client.Follow(kStatusPath + query + "&watch=true", [&](const base::Json& report) {
          std::string text = report.ToString();
          if (!repaint && text == last) return true;  // a heartbeat
          if (shown && !json && !repaint) std::printf("\n");
          last = std::move(text);
          shown = true;
          Show(report, client, json, repaint);
          return true;
        });
    const bool away = status.ok() || status.code() == base::Code::kUnavailable ||
                      status.code() == base::Code::kTimeout;
    if (!shown || !away) return Fail(status);
    // The server restarts, or the object went.
    sleep(1);
  }
}

}  // namespace

int StatusCommand(const Words& words) {
  int exit = 0;
  const std::optional<Arguments> arguments =
      ParseFlags(words, {{"-n", "--namespace", kOutputFlag}, {"--watch", "-w"}}, kHelp, exit);
  if (!arguments) return exit;
  base::Result<Client> client = Client::Connect(*arguments, kStatusWait);
  if (!client.ok()) return Fail(client.status());
  const base::Result<std::string> query = QueryOf(*arguments);
  if (!query.ok()) return Fail(query.status());
  const bool json = WantsJson(*arguments);
  if (arguments->Has("--watch") || arguments->Has("-w")) return Watch(*client, *query, json);
  const base::Result<base::Json> report = client->Get(kStatusPath + *query);
  if (!report.ok()) return Fail(report.status());
  Show(*report, *client, json, false);
  return 0;
}

}  // namespace plumb

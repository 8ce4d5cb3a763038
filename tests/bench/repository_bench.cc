// Repositories of 1,000, 10,000 and 100,000 manifests, pushed to a real `plumb server` over HTTPS
// on loopback.
//
// Cold sync: a real `git push` of all of them into an empty cluster, from its start until a watch
// of the repository's Kustomization says that the commit is applied. One line: a push of one
// changed line, sent as git would send it but by this program, so that no client's time counts:
// from the last byte of the pack sent until
//   "committed": a watch has the changed object (which is durable then);
//   "answered":  the push's answer has ended: accepted, applied, and the wait for health.
// In between lie git's own receive-pack (unpack, fsck, two hook processes) and everything of plumb.
// One line is pushed when the controllers are done with what came before: a row of its own says how
// long they took with the first push, and a push meanwhile shares the machine with them.
// "second plans": how many of the committed plans had to be made again, since something that they
// depended on had changed between the verdict and the commit.
// "git alone" is the same push to a bare repository without hooks, served by git's own receive-pack
// as a child: the floor under the first part.
#include <algorithm>
#include <chrono>
#include <thread>

#include "base/edge/process.h"
#include "tests/bench/bench.h"
#include "tests/bench/git_workspace.h"

namespace bench {
namespace {

using testsupport::ApiConnection;
using testsupport::ApiTrust;
using testsupport::PlumbProcess;

constexpr int kPushes = 40;
constexpr int kWarmUp = 3;           // the first pushes fill caches
constexpr double kQuietSeconds = 2;  // without a new revision: the controllers are done
constexpr double kMaxConvergeSeconds = 1200;

struct PushTimes {
  std::vector<double> committed, answered, planned;  // milliseconds
};

// Waits until nothing is written any more. When that began, by Seconds().
base::Result<double> Converged(ApiConnection& api) {
  const double begin = Seconds();
  std::string revision;
  double since = begin;
  while (Seconds() - since < kQuietSeconds) {
    if (Seconds() - begin > kMaxConvergeSeconds)
      return base::Status(base::Code::kTimeout,
                          "the controllers still write after " +
                              std::to_string(static_cast<int>(kMaxConvergeSeconds)) + " s");
    ASSIGN_OR_RETURN(const std::string text, api.Ask("GET", "/api/v1/namespaces?limit=1"));
    ASSIGN_OR_RETURN(const base::Json list, base::ParseJson(text));
    if (std::string now(list["metadata"]["resourceVersion"].AsString()); now != revision) {
      revision = std::move(now);
      since = Seconds();
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return since;
}

// git's own part: receive-pack as a child on a bare repository.
base::Result<double> GitAlone(const std::string& repository, const std::string& body) {
  const double begin = Seconds();
  base::ProcessOptions options;
  options.argv = {"git", "receive-pack", "--stateless-rpc", repository};
  ASSIGN_OR_RETURN(const base::RunOutput run,
                   base::RunProcess(std::move(options), body, base::Duration::Minutes(1)));
  if (!run.exit.ok()) return base::Status(base::Code::kInternal, "git receive-pack: " + run.error);
  return (Seconds() - begin) * 1e3;
}

base::Result<PushTimes> PushLines(GitWorkspace& git, std::string before, ApiConnection& api,
                                  EventReader& watch, const std::string& ns, int count,
                                  const std::string& floor_repository, std::vector<double>& floor) {
  PushTimes times;
  for (int i = -kWarmUp; i < kPushes; ++i) {
    const int number = 1 + (i + kWarmUp) * 10 % (count - 10);  // a ConfigMap: see Manifests
    const int version = i + kWarmUp + 1;
    RETURN_IF_ERROR(git.Write(ConfigMapPath(number), ConfigMapFile(ns, number, version)));
    ASSIGN_OR_RETURN(const std::string after, git.Commit("line " + std::to_string(version)));
    ASSIGN_OR_RETURN(const std::string body, git.PushBody(before, after));
    ASSIGN_OR_RETURN(const double alone, GitAlone(floor_repository, body));
    before = after;
    const std::string event = "\"version\":\"v" + std::to_string(version) + "\"";
    std::future<base::Result<double>> committed =
        std::async(std::launch::async, [&] { return watch.TimeOf(event); });
    RETURN_IF_ERROR(
        api.Send("POST", git.push_target(), body, "application/x-git-receive-pack-request"));
    const double sent = Seconds();
    ASSIGN_OR_RETURN(const int status, api.ReadHead());
    if (status != 200) return base::Status(base::Code::kInternal, "the push was not served");
    std::string answer;
    double planned = 0;
    for (;;) {
      ASSIGN_OR_RETURN(const std::string_view piece, api.ReadContent());
      if (piece.empty()) break;
      answer += piece;
      if (planned == 0 && answer.find("config-") != std::string::npos) planned = Seconds();
    }
    const double ended = Seconds();
    if (answer.find("ok refs/heads/main") == std::string::npos)
      return base::Status(base::Code::kInternal, "the push was refused: " + answer);
    ASSIGN_OR_RETURN(const double at, committed.get());
    if (i < 0) continue;
    floor.push_back(alone);
    times.committed.push_back((at - sent) * 1e3);
    times.answered.push_back((ended - sent) * 1e3);
    if (planned != 0) times.planned.push_back((planned - sent) * 1e3);
  }
  return times;
}

// The p50 of "committed", for the comparison of the sizes. `slowest` is wanted of its p99.
base::Result<double> OneSize(const Context& context, int count, std::optional<double> smaller,
                             Aim slowest) {
  const std::string label = std::to_string(count);
  const std::string ns = "bench";
  ASSIGN_OR_RETURN(const auto server, PlumbProcess::Start(context.plumb, Path(context, label)));
  ASSIGN_OR_RETURN(const ApiTrust trust, ApiTrust::OfDataDir(server->data_dir()));
  ASSIGN_OR_RETURN(ApiConnection api, ApiConnection::Open(trust, server->port()));
  ASSIGN_OR_RETURN(GitWorkspace git,
                   GitWorkspace::Make(*server, api, "bench", Path(context, label + ".work")));
  for (const auto& [path, content] : Manifests(ns, count))
    RETURN_IF_ERROR(git.Write(path, content));
  ASSIGN_OR_RETURN(const std::string head, git.Commit("all of them"));

  ASSIGN_OR_RETURN(EventReader applied, EventReader::Open(trust, server->port(), kKustomizations));
  const double begin = Seconds();
  std::future<base::Result<double>> done = std::async(std::launch::async, [&] {
    return applied.TimeOf("\"lastAppliedRevision\":\"main@sha1:" + head);
  });
  const base::Status pushed = git.Push({"nowait"});
  if (!pushed.ok()) server->Kill();  // ends the watch
  const base::Result<double> at = done.get();
  if (!pushed.ok()) return pushed;
  if (!at.ok()) return at.status();
  Report({"repository.cold_sync",
          {{"manifests", count}, {"from", "start of git push to applied"}},
          *at - begin,
          "s",
          "",
          std::nullopt,
          NoAim()});
  ASSIGN_OR_RETURN(const double converged, Converged(api));
  Report({"repository.converged",
          {{"manifests", count}, {"from", "applied to the last write of a controller"}},
          std::max(0.0, converged - *at),
          "s",
          "",
          std::nullopt,
          NoAim()});

  const std::string floor_repository = Path(context, label + ".git");
  const auto clone = base::RunChecked(
      {"git", "clone", "-q", "--bare", Path(context, label + ".work"), floor_repository});
  if (!clone.ok()) return clone.status();
  ASSIGN_OR_RETURN(
      EventReader watch,
      EventReader::Open(trust, server->port(), "/api/v1/namespaces/" + ns + "/configmaps"));
  std::vector<double> floor;
  ASSIGN_OR_RETURN(const PushTimes times,
                   PushLines(git, head, api, watch, ns, count, floor_repository, floor));
  const auto report = [&](const char* until, double percent, const std::vector<double>& values,
                          Aim aim) {
    if (values.empty()) return;
    Report({"repository.push",
            {{"manifests", count}, {"until", until}, {"percentile", percent}, {"pushes", kPushes}},
            Percentile(values, percent),
            "ms",
            "git receive-pack alone, without hooks or TLS",
            Percentile(floor, percent),
            aim});
  };
  for (const double percent : {50.0, 99.0}) {
    report("plan printed", percent, times.planned, NoAim());
    report("committed", percent, times.committed, percent < 99 ? ValueAtMost(50) : slowest);
    report("answered", percent, times.answered, NoAim());
  }
  const double median = Median(times.committed);
  // Of all deploys since the start: every push here, the first one with all manifests included.
  ASSIGN_OR_RETURN(const std::string counted, api.Ask("GET", "/plumb/v1/plans"));
  ASSIGN_OR_RETURN(const base::Json plans, base::ParseJson(counted));
  const double first = static_cast<double>(plans["first"].AsInt());
  const double again = static_cast<double>(plans["again"].AsInt());
  Report({"repository.second_plans",
          {{"manifests", count}, {"plans", static_cast<int>(first + again)}},
          first + again == 0 ? 0 : again / (first + again),
          "share",
          "",
          std::nullopt,
          ValueAtMost(0.1)});
  if (smaller) {
    Report(
        {"repository.push",
         {{"manifests", count}, {"until", "committed"}, {"percentile", 50.0}, {"pushes", kPushes}},
         median,
         "ms",
         "the same in a repository ten times smaller",
         smaller,
         RatioAtMost(2)});
  }
  return median;
}

}  // namespace

base::Status BenchRepository(const Context& context) {
  ASSIGN_OR_RETURN(const double small, OneSize(context, 1000, std::nullopt, ValueAtMost(50)));
  ASSIGN_OR_RETURN(const double medium, OneSize(context, 10'000, small, ValueAtMost(50)));
  return OneSize(context, 100'000, medium, RatioAtMost(1.5)).status();
}

}  // namespace bench

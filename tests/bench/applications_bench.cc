// Many applications, cold: from the start of a `plumb server` that knows N repositories, has a
// commit in each and has applied none of them, until a watch says that the commit of each is
// applied. The commits' objects start no pods.
//
// The repositories are made over the API, their commits by one git of its own, which they all
// borrow from: what git takes to make or receive N commits is not measured.
#include <fstream>
#include <set>

#include "base/edge/files.h"
#include "base/edge/process.h"
#include "tests/bench/bench.h"
#include "tests/bench/git_workspace.h"

namespace bench {
namespace {

using testsupport::ApiConnection;
using testsupport::ApiTrust;
using testsupport::PlumbProcess;

constexpr int kMakers = 8;  // repositories at once

std::string NameOf(int application) { return "app-" + std::to_string(application); }

// Up to four objects in the default namespace: two ConfigMaps, a Service, a Deployment.
std::string ManifestOf(int application, int objects) {
  const std::string name = NameOf(application);
  const auto metadata = [&](const char* suffix) {
    return "metadata: {name: " + name + suffix + ", labels: {app: " + name + "}}\n";
  };
  const std::string all[] = {
      "apiVersion: v1\nkind: ConfigMap\n" + metadata("") + "data: {listen: \"8080\"}\n",
      "apiVersion: v1\nkind: Service\n" + metadata("") +
          "spec: {clusterIP: None, selector: {app: " + name +
          "}, ports: [{name: http, port: 80, targetPort: 8080}]}\n",
      "apiVersion: apps/v1\nkind: Deployment\n" + metadata("") +
          "spec:\n  replicas: 0\n  selector: {matchLabels: {app: " + name +
          "}}\n  template:\n    metadata: {labels: {app: " + name +
          "}}\n    spec: {containers: [{name: main, image: registry.example/team/app:1}]}\n",
      "apiVersion: v1\nkind: ConfigMap\n" + metadata("-more") + "data: {timeout: 30s}\n"};
  std::string text;
  for (int i = 0; i < objects; ++i) text += (i == 0 ? "" : "---\n") + all[i];
  return text;
}

base::Status MakeRepositories(const PlumbProcess& server, const ApiTrust& trust, int count) {
  return InParallel(kMakers, [&](int maker) {
    ASSIGN_OR_RETURN(ApiConnection api, ApiConnection::Open(trust, server.port()));
    for (int i = maker; i < count; i += kMakers) {
      const base::Json repository = base::Json::MakeObject({{"name", NameOf(i)}});
      RETURN_IF_ERROR(api.Ask("POST", "/plumb/v1/repositories", repository.ToString()).status());
    }
    return base::Status();
  });
}

base::Result<std::string> Git(const std::string& repository, std::vector<std::string> words,
                              const std::string& input) {
  base::ProcessOptions options;
  options.argv = {"git", "-C", repository};
  options.argv.insert(options.argv.end(), words.begin(), words.end());
  ASSIGN_OR_RETURN(base::RunOutput run,
                   base::RunProcess(std::move(options), input, base::Duration::Minutes(10)));
  if (!run.exit.ok())
    return base::Status(base::Code::kInternal, "git " + words.front() + ": " + run.error);
  return std::move(run.output);
}

std::string DataOf(const std::string& text) {
  return "data " + std::to_string(text.size()) + "\n" + text + "\n";
}

// A bare repository with a branch for each application.
base::Status MakeCommits(const std::string& repository, int count, int objects) {
  RETURN_IF_ERROR(base::MakeDirectories(repository, 0700));
  RETURN_IF_ERROR(Git(repository, {"init", "-q", "--bare"}, "").status());
  std::string stream;
  for (int i = 0; i < count; ++i) {
    stream += "commit refs/heads/" + NameOf(i) +
              "\ncommitter bench <bench@example.com> 1790000000 +0000\n" + DataOf("first") +
              "M 100644 inline app.yaml\n" + DataOf(ManifestOf(i, objects));
  }
  return Git(repository, {"fast-import", "--quiet"}, stream).status();
}

// Every repository's main is the commit of its branch there.
base::Status BorrowCommits(const std::string& from, const std::string& git_directory) {
  ASSIGN_OR_RETURN(
      std::string branches,
      Git(from, {"for-each-ref", "--format=%(refname:short) %(objectname)", "refs/heads"}, ""));
  for (size_t begin = 0; begin < branches.size();) {
    const size_t end = branches.find('\n', begin);
    const size_t space = branches.find(' ', begin);
    const std::string repository =
        git_directory + "/" + branches.substr(begin, space - begin) + ".git";
    RETURN_IF_ERROR(base::MakeDirectories(repository + "/objects/info", 0700));
    std::ofstream(repository + "/objects/info/alternates") << from << "/objects\n";
    std::ofstream(repository + "/refs/heads/main") << branches.substr(space + 1, end - space);
    begin = end + 1;
  }
  return {};
}

base::Result<double> TimeOfTheLast(EventReader& kustomizations, int count) {
  std::set<std::string> applied;
  double at = 0;
  while (applied.size() < static_cast<size_t>(count)) {
    ASSIGN_OR_RETURN(const std::string line, kustomizations.Next(at));
    if (line.find("\"lastAppliedRevision\":\"main@sha1:") == std::string::npos) continue;
    const size_t name = line.find("\"name\":\"app-");
    if (name != std::string::npos) applied.insert(line.substr(name, line.find(',', name) - name));
  }
  return at;
}

base::Status Cold(const Context& context, int count, int objects, const char* peer,
                  std::optional<double> peer_seconds, Aim aim) {
  const std::string label = std::to_string(count);
  const std::string data = Path(context, label), commits = Path(context, label + ".git");
  RETURN_IF_ERROR(MakeCommits(commits, count, objects));
  {
    ASSIGN_OR_RETURN(const auto server, PlumbProcess::Start(context.plumb, data));
    ASSIGN_OR_RETURN(const ApiTrust trust, ApiTrust::OfDataDir(data));
    RETURN_IF_ERROR(MakeRepositories(*server, trust, count));
    server->Kill();
  }
  RETURN_IF_ERROR(BorrowCommits(commits, data + "/git"));

  const double begin = Seconds();
  ASSIGN_OR_RETURN(const auto server, PlumbProcess::Start(context.plumb, data));
  ASSIGN_OR_RETURN(const ApiTrust trust, ApiTrust::OfDataDir(data));
  ASSIGN_OR_RETURN(EventReader watch, EventReader::Open(trust, server->port(), kKustomizations));
  ASSIGN_OR_RETURN(const double end, TimeOfTheLast(watch, count));
  Report({"applications.cold_sync",
          {{"applications", count}, {"objects", objects}},
          end - begin,
          "s",
          peer,
          peer_seconds,
          aim});
  return {};
}

}  // namespace

base::Status BenchApplications(const Context& context) {
  RETURN_IF_ERROR(Cold(context, 1000, 4, "", std::nullopt, ValueAtMost(1.5)));
  return Cold(context, 15'000, 1, "Argo CD, published", 17.5 * 60, ValueAtMost(5));
}

}  // namespace bench

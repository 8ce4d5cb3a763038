#include "tests/bench/git_workspace.h"

#include <filesystem>
#include <fstream>

#include "base/edge/process.h"
#include "tests/bench/bench.h"

namespace bench {
namespace {

constexpr char kRef[] = "refs/heads/main";
constexpr int kPerDirectory = 100;

// A line of git's protocol: four hexadecimal digits of length, then the content.
std::string PacketLine(const std::string& content) {
  char length[5];
  std::snprintf(length, sizeof(length), "%04zx", content.size() + 4);
  return length + content;
}

}  // namespace

base::Result<std::string> GitWorkspace::Git(std::vector<std::string> words,
                                            std::string_view input) {
  base::ProcessOptions options;
  options.argv = std::move(words);
  options.argv.insert(options.argv.begin(), "git");
  options.directory = directory_;
  options.environment = {"PATH=/usr/local/bin:/usr/bin:/bin",
                         "HOME=" + directory_,
                         "GIT_CONFIG_NOSYSTEM=1",
                         "GIT_TERMINAL_PROMPT=0",
                         "GIT_SSL_CAINFO=" + ca_path_,
                         "GIT_AUTHOR_NAME=bench",
                         "GIT_AUTHOR_EMAIL=bench@example.com",
                         "GIT_COMMITTER_NAME=bench",
                         "GIT_COMMITTER_EMAIL=bench@example.com"};
  const std::string what = options.argv[1];
  ASSIGN_OR_RETURN(base::RunOutput run,
                   base::RunProcess(std::move(options), input, base::Duration::Minutes(10)));
  if (!run.exit.ok())
    return base::Status(base::Code::kInternal, "git " + what + ": " + run.error + run.output);
  return std::move(run.output);
}

base::Result<GitWorkspace> GitWorkspace::Make(const testsupport::PlumbProcess& server,
                                              testsupport::ApiConnection& api,
                                              const std::string& name,
                                              const std::string& directory) {
  GitWorkspace workspace;
  workspace.name_ = name;
  workspace.directory_ = directory;
  workspace.ca_path_ = server.data_dir() + "/pki/ca.crt";
  const base::Json repository = base::Json::MakeObject({{"name", name}});
  RETURN_IF_ERROR(api.Ask("POST", "/plumb/v1/repositories", repository.ToString()).status());
  const base::Json token = base::Json::MakeObject({{"name", name}, {"role", "admin"}});
  ASSIGN_OR_RETURN(const std::string created,
                   api.Ask("POST", "/plumb/v1/tokens", token.ToString()));
  ASSIGN_OR_RETURN(const base::Json answer, base::ParseJson(created));
  RETURN_IF_ERROR(base::MakeDirectories(directory, 0700));
  RETURN_IF_ERROR(workspace.Git({"init", "-q", "-b", "main"}).status());
  RETURN_IF_ERROR(
      workspace
          .Git({"remote", "add", "plumb",
                "https://bench:" + std::string(answer["secret"].AsString()) +
                    "@127.0.0.1:" + std::to_string(server.port()) + "/git/" + name + ".git"})
          .status());
  return workspace;
}

base::Status GitWorkspace::Write(const std::string& path, std::string_view content) {
  const std::filesystem::path file = directory_ + "/" + path;
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary | std::ios::trunc) << content;
  return {};
}

base::Result<std::string> GitWorkspace::Commit(const std::string& message) {
  RETURN_IF_ERROR(Git({"add", "-A"}).status());
  RETURN_IF_ERROR(Git({"commit", "-q", "-m", message}).status());
  ASSIGN_OR_RETURN(std::string commit, Git({"rev-parse", "HEAD"}));
  commit.pop_back();
  return commit;
}

base::Status GitWorkspace::Push(const std::vector<std::string>& options) {
  std::vector<std::string> words = {"push", "-q"};
  for (const std::string& option : options) words.insert(words.end(), {"-o", option});
  words.insert(words.end(), {"plumb", "main"});
  return Git(std::move(words)).status();
}

base::Result<std::string> GitWorkspace::PushBody(const std::string& before,
                                                 const std::string& after) {
  ASSIGN_OR_RETURN(
      const std::string pack,
      Git({"pack-objects", "-q", "--revs", "--thin", "--stdout"}, after + "\n^" + before + "\n"));
  return PacketLine(before + " " + after + " " + kRef + std::string(1, '\0') +
                    " report-status side-band-64k agent=bench") +
         "0000" + pack;
}

std::string ConfigMapPath(int number) {
  return "manifests/" + std::to_string(number / kPerDirectory) + "/config-" +
         std::to_string(number) + ".yaml";
}

std::string ConfigMapFile(const std::string& ns, int number, int version) {
  const std::string name = "config-" + std::to_string(number);
  return "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: " + name + "\n  namespace: " + ns +
         "\n  labels:\n    app: " + name + "\n    team: bench\ndata:\n  version: \"v" +
         std::to_string(version) +
         "\"\n  settings: |\n    listen = 8080\n    workers = 4\n    log.level = info\n"
         "    upstream = http://backend." +
         ns + ":8080/\n    timeout = 30s\n";
}

std::map<std::string, std::string> Manifests(const std::string& ns, int count) {
  std::map<std::string, std::string> files;
  files["manifests/namespace.yaml"] =
      "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: " + ns + "\n";
  for (int i = 1; i < count; ++i) {
    const std::string name = "app-" + std::to_string(i);
    const std::string metadata = "metadata:\n  name: " + name + "\n  namespace: " + ns +
                                 "\n  labels:\n    app: " + name + "\n";
    const std::string path = "manifests/" + std::to_string(i / kPerDirectory) + "/" + name;
    if (i % 10 == 8) {
      files[path + ".yaml"] =
          "apiVersion: v1\nkind: Service\n" + metadata +
          "spec:\n  clusterIP: None\n  selector:\n    app: " + name +
          "\n  ports:\n    - name: http\n      port: 80\n      targetPort: 8080\n";
    } else if (i % 10 == 9) {
      files[path + ".yaml"] =
          "apiVersion: apps/v1\nkind: Deployment\n" + metadata +
          "spec:\n  replicas: 0\n  selector:\n    matchLabels:\n      app: " + name +
          "\n  template:\n    metadata:\n      labels:\n        app: " + name +
          "\n    spec:\n      containers:\n        - name: main\n          image: "
          "registry.example/team/app:1\n          ports:\n            - containerPort: 8080\n";
    } else {
      files[ConfigMapPath(i)] = ConfigMapFile(ns, i, 0);
    }
  }
  return files;
}

base::Result<EventReader> EventReader::Open(const testsupport::ApiTrust& trust, int port,
                                            const std::string& path) {
  ASSIGN_OR_RETURN(auto watch, testsupport::ApiConnection::Open(trust, port));
  RETURN_IF_ERROR(watch.Send("GET", path + "?watch=1&timeoutSeconds=3600", ""));
  ASSIGN_OR_RETURN(const int status, watch.ReadHead());
  if (status != 200) return base::Status(base::Code::kInternal, "no watch of " + path);
  return EventReader(std::move(watch));
}

base::Result<std::string> EventReader::Next(double& arrived) {
  size_t searched = 0, end = 0;
  while ((end = received_.find('\n', searched)) == std::string::npos) {
    searched = received_.size();
    ASSIGN_OR_RETURN(const std::string_view piece, watch_.ReadContent());
    if (piece.empty()) return base::Status(base::Code::kUnavailable, "the watch ended");
    arrived_ = Seconds();
    received_ += piece;
  }
  std::string line = received_.substr(0, end);
  received_.erase(0, end + 1);
  arrived = arrived_;
  return line;
}

base::Result<double> EventReader::TimeOf(std::string_view text) {
  for (double arrived = 0;;) {
    ASSIGN_OR_RETURN(const std::string line, Next(arrived));
    if (line.find(text) != std::string::npos) return arrived;
  }
}

}  // namespace bench

// GitWorkspace: a user's repository of manifests, the real git in it, and a repository of a running
// plumb server to push to.
//
// Blocks; one thread. All files lie in one directory.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/status.h"
#include "tests/support/api_connection.h"
#include "tests/support/plumb_process.h"

namespace bench {

class GitWorkspace {
 public:
  // Creates the repository on the server, a token for it, and an empty clone in `directory`.
  static base::Result<GitWorkspace> Make(const testsupport::PlumbProcess& server,
                                         testsupport::ApiConnection& api, const std::string& name,
                                         const std::string& directory);

  base::Status Write(const std::string& path, std::string_view content);
  // Commits all that was written; the commit's id.
  base::Result<std::string> Commit(const std::string& message);
  // git push with these options.
  base::Status Push(const std::vector<std::string>& options = {});

  // What `git push` would send to move main from `before` to `after`, ready to be posted to
  // push_target(): for pushes that are timed without a git client.
  base::Result<std::string> PushBody(const std::string& before, const std::string& after);
  std::string push_target() const { return "/git/" + name_ + ".git/git-receive-pack"; }

 private:
  GitWorkspace() = default;
  base::Result<std::string> Git(std::vector<std::string> words, std::string_view input = {});

  std::string name_, directory_, ca_path_;
};

// `count` small manifests in a namespace of their own, in files by path: ConfigMaps, and one
// Service and one Deployment without replicas for every ten of them. Nothing of it starts a pod.
std::map<std::string, std::string> Manifests(const std::string& ns, int count);
// The file of the ConfigMap `number`; `version` stands in one of its lines.
std::string ConfigMapFile(const std::string& ns, int number, int version);
std::string ConfigMapPath(int number);

// Those of plumb's repositories: their status says what is applied.
inline constexpr char kKustomizations[] =
    "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/plumb-system/kustomizations";

// A watch over the API, read event by event. One thread.
class EventReader {
 public:
  // The path and query without "watch".
  static base::Result<EventReader> Open(const testsupport::ApiTrust& trust, int port,
                                        const std::string& path);
  // The next event's line, and when it arrived.
  base::Result<std::string> Next(double& arrived);
  // Reads on until the line of an event contains `text`; when that line arrived.
  base::Result<double> TimeOf(std::string_view text);

 private:
  explicit EventReader(testsupport::ApiConnection watch) : watch_(std::move(watch)) {}
  testsupport::ApiConnection watch_;
  std::string received_;  // not yet looked at
  double arrived_ = 0;
};

}  // namespace bench

// GitHost: smart HTTP for the repositories of a directory, by git's own upload-pack and
// receive-pack as children.
//
// A push runs git receive-pack with quarantine, fsck and limits; its hooks are a small program
// (git_hook_main.cc), which talks to HookServer over a Unix socket: pre-receive asks "may
// these refs move?" while the objects are still in quarantine, post-receive streams what becomes of
// it. What the daemon writes back appears as "remote: ..." lines.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "base/time.h"
#include "gitsync/source/git.h"
#include "gitsync/source/push.h"

namespace gitsync {

struct HookHandlers {
  // Both are called on a thread of the HookServer's and may return before the session is finished.
  std::function<void(PushRequest, std::shared_ptr<HookSession>)> pre_receive;
  std::function<void(PushRequest, std::shared_ptr<HookSession>)> post_receive;
};

class HookServer {
 public:
  virtual ~HookServer() = default;
  static base::Result<std::unique_ptr<HookServer>> Start(const std::string& socket_path,
                                                         HookHandlers handlers);
};

// The other end: what the hook program does as pre-receive or post-receive. Reads updates from
// standard input, options and quarantine from the environment that git sets, prints what comes; the
// exit code.
int RunHook(const std::string& name, const std::string& socket_path);

// Writes the hook program to `path`, unless it is there already.
base::Status WriteHookProgram(const std::string& path);

// A body that can be read and written piecewise: what the HTTP edge offers, restated so that the
// rooms stay apart.
struct GitHttpRequest {
  std::string method;
  std::string path;   // below the mount point: "/NAME.git/info/refs"
  std::string query;  // "service=git-receive-pack"
  std::string content_type;
  std::string protocol;               // the Git-Protocol header
  std::string user;                   // authenticated
  std::vector<std::string> groups;    // of the user
  std::vector<std::string> branches;  // that the user's token is bound to
  // Each is OK, or says why not.
  std::function<base::Status(const std::string&repository)> may_fetch, may_push;
  std::function<base::Status(const std::function<bool(std::string_view)>& sink)>
      read_body;  // inflated
};
struct GitHttpResponse {
  std::function<void(int status, const std::string& content_type, const std::string& body)> send;
  std::function<void(
      int status, const std::string& content_type,
      const std::function<void(const std::function<bool(std::string_view)>& write)>& source)>
      stream;
};

// What a pack unpacks to is its sender's choice: 8 KiB can stand for gigabytes. So each process of
// git may use this much, however small what it was sent.
struct GitLimits {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  uint64_t memory_bytes =
      0;  // none: what is built with a sanitizer, as the hook is then, maps more
#else
  uint64_t memory_bytes = uint64_t{1} << 30;  // of address space; 0: no limit
#endif
  uint64_t cpu_seconds = 120;  // of one process; a pack of the largest size takes half of it
};

struct GitHostOptions {
  std::string root;  // holds NAME.git
  std::string hook_socket;
  std::string hook_program;  // absolute path; WriteHookProgram makes it
  size_t max_pack_bytes = 512u << 20;
  base::Duration timeout = base::Duration::Minutes(30);  // of one child
  GitLimits limits;                                      // of each of its processes
};

// Serves one request; blocks on the calling thread until it is over.
class GitHost {
 public:
  explicit GitHost(GitHostOptions options);
  void Serve(const GitHttpRequest& request, const GitHttpResponse& response);

 private:
  GitHostOptions options_;
};

// The GitStore over the same directory.
std::unique_ptr<GitStore> OpenGitStore(const GitHostOptions& options);

}  // namespace gitsync

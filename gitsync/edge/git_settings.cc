// What is set, and why:
//  - objects are checked on arrival (fsck), and what the file systems of others would take for
//    ".git" is refused;
//  - a pack has a limit, and a large blob is streamed instead of held in memory;
//  - what a push answered "accepted" to is on disk: objects and refs are synced;
//  - force pushes and deleted branches are the users' choice, except for the default branch, which
//    git itself keeps; who may move plumb's own refs is decided by the daemon in pre-receive;
//  - git never starts housekeeping by itself while someone pushes;
//  - an object is what its id says: replacements and grafts, which a ref or a file would ask for,
//    mean nothing, and no history is cut short;
//  - packs are mapped a window at a time, so that what a child may use (GitLimits) is left to what
//    it unpacks.
#include "gitsync/edge/git_settings.h"

#include <unistd.h>

#include "base/edge/files.h"

namespace gitsync {

using base::Status;

namespace {

inline constexpr size_t kMaxHookFileBytes = 64 << 10;
inline constexpr std::string_view kHooks[] = {"post-receive", "pre-receive"};

// For /bin/sh: nothing in single quotes is special but the quote itself.
std::string Quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  return quoted + "'";
}

std::string HookText(const GitHostOptions& options, std::string_view name) {
  return "#!/bin/sh\nexec " + Quoted(options.hook_program) + " git-hook " + std::string(name) +
         " --socket " + Quoted(options.hook_socket) + "\n";
}

// For git's configuration: in quotes only these two are special.
std::string QuotedForGit(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

std::string HooksPath(const GitHostOptions& options) { return options.root + "/hooks"; }

}  // namespace

std::vector<GitSetting> GitSettings(const GitHostOptions& options) {
  return {
      {"core.hooksPath", HooksPath(options)},
      {"core.protectNTFS", "true"},
      {"core.protectHFS", "true"},
      {"core.symlinks", "false"},
      {"core.fsync", "objects,derived-metadata,reference"},
      {"core.bigFileThreshold", "16m"},
      {"core.useReplaceRefs", "false"},
      {"core.packedGitWindowSize", "32m"},
      {"core.packedGitLimit", "256m"},
      {"pack.threads", "1"},
      {"pack.windowMemory", "64m"},
      {"pack.deltaCacheSize", "64m"},
      {"gc.auto", "0"},
      {"maintenance.auto", "false"},
      {"transfer.fsckObjects", "true"},
      {"receive.fsckObjects", "true"},
      {"receive.maxInputSize", std::to_string(options.max_pack_bytes)},
      {"receive.advertisePushOptions", "true"},
      {"receive.denyNonFastForwards", "false"},
      {"receive.denyDeletes", "false"},
      {"receive.denyDeleteCurrent", "refuse"},
      {"receive.autogc", "false"},
      {"receive.shallowUpdate", "false"},
      {"receive.keepAlive", "5"},
      {"uploadpack.keepAlive", "5"},
      {"http.receivepack", "true"},
  };
}

std::vector<std::string> GitEnvironment() {
  return {
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      "HOME=/nonexistent",
      "LC_ALL=C",
      "GIT_CONFIG_NOSYSTEM=1",
      "GIT_CONFIG_GLOBAL=/dev/null",
      "GIT_ATTR_NOSYSTEM=1",
      "GIT_TERMINAL_PROMPT=0",
      "GIT_NO_REPLACE_OBJECTS=1",
      "GIT_GRAFT_FILE=/nonexistent/grafts",
  };
}

std::string GitConfigText(const GitHostOptions& options) {
  std::vector<GitSetting> settings = {
      {"core.repositoryformatversion", "0"}, {"core.filemode", "true"}, {"core.bare", "true"}};
  for (GitSetting& setting : GitSettings(options)) settings.push_back(std::move(setting));
  std::string text, section;
  for (const auto& [key, value] : settings) {
    const size_t dot = key.find('.');
    if (key.substr(0, dot) != section) {
      section = key.substr(0, dot);
      text += "[" + section + "]\n";
    }
    text += "\t" + key.substr(dot + 1) + " = " + QuotedForGit(value) + "\n";
  }
  return text;
}

std::string RepositoryPath(const GitHostOptions& options, const std::string& repository) {
  return options.root + "/" + repository + ".git";
}

Status EnsureHooks(const GitHostOptions& options) {
  RETURN_IF_ERROR(base::MakeDirectories(HooksPath(options), 0700));
  for (const std::string_view name : kHooks) {
    const std::string path = HooksPath(options) + "/" + std::string(name);
    const std::string text = HookText(options, name);
    const base::Result<std::string> found = base::ReadFile(path, kMaxHookFileBytes);
    if (found.ok() && *found == text && access(path.c_str(), X_OK) == 0) continue;
    RETURN_IF_ERROR(base::WriteFileAtomic(path, text, 0700));
  }
  return {};
}

}  // namespace gitsync

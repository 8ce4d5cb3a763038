#include "gitsync/edge/git_bundle.h"

#include "gitsync/edge/git_child.h"
#include "gitsync/edge/git_settings.h"
#include "gitsync/source/git_rules.h"

namespace gitsync {
namespace {

using base::Code;
using base::Status;

const std::vector<std::string> kEnvironment = {
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME=/nonexistent",
    "LC_ALL=C",
    "GIT_CONFIG_NOSYSTEM=1",
    "GIT_CONFIG_GLOBAL=/dev/null",
    "GIT_ATTR_NOSYSTEM=1",
    "GIT_TERMINAL_PROMPT=0",
    "GIT_ALLOW_PROTOCOL=file",
};

// Runs git in a repository, with nothing of this process's environment but the path to programs.
Status RunGit(const GitHostOptions& options, const std::string& repository,
              std::vector<std::string> words, const std::function<bool(std::string_view)>& sink) {
  RETURN_IF_ERROR(CheckRepositoryName(repository));
  std::vector<std::string> argv = {"git", "--git-dir=" + RepositoryPath(options, repository)};
  for (const auto& [name, value] : GitSettings(options)) {
    argv.push_back("-c");
    argv.push_back(name + "=" + value);
  }
  const std::string command = words.front();
  argv.insert(argv.end(), words.begin(), words.end());
  ASSIGN_OR_RETURN(std::unique_ptr<GitChild> child,
                   GitChild::Start(std::move(argv), kEnvironment, options.timeout));
  child->EndInput();
  for (;;) {
    ASSIGN_OR_RETURN(const std::string bytes, child->Read());
    if (bytes.empty()) break;
    if (!sink(bytes)) return Status(Code::kCancelled, "nobody reads the bundle any more");
  }
  const base::ExitStatus exit = child->Wait();
  if (exit.ok()) return Status();
  return Status(Code::kInternal, "git " + command + " failed in repository " + repository + ": " +
                                     child->error_tail());
}

}  // namespace

Status WriteBundle(const GitHostOptions& options, const std::string& repository,
                   const std::function<bool(std::string_view)>& sink) {
  bool empty = true;  // git makes no bundle of nothing
  RETURN_IF_ERROR(RunGit(options, repository, {"for-each-ref", "--count=1"},
                         [&](std::string_view) { return empty = false, true; }));
  if (empty) return Status();
  return RunGit(options, repository, {"bundle", "create", "--quiet", "-", "--all"}, sink);
}

Status ReadBundle(const GitHostOptions& options, const std::string& repository,
                  const std::string& bundle_path) {
  return RunGit(options, repository,
                {"fetch", "--quiet", "--no-tags", bundle_path, "+refs/*:refs/*"},
                [](std::string_view) { return true; });
}

}  // namespace gitsync

#include "gitsync/edge/git_bundle.h"

#include "gitsync/edge/git_child.h"
#include "gitsync/edge/git_settings.h"
#include "gitsync/source/git_rules.h"

namespace gitsync {
namespace {

using base::Code;
using base::Status;

// What a backup takes along: what people push, and plumb's notes. Refs of other kinds, which an
// earlier plumb let in, mean nothing.
const std::vector<std::string> kRefs = {"refs/heads/", "refs/tags/", "refs/notes/"};

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
  std::vector<std::string> environment = GitEnvironment();
  environment.push_back("GIT_ALLOW_PROTOCOL=file");
  ASSIGN_OR_RETURN(
      std::unique_ptr<GitChild> child,
      GitChild::Start(std::move(argv), std::move(environment), options.timeout, options.limits));
  child->EndInput();
  for (;;) {
    ASSIGN_OR_RETURN(const std::string bytes, child->Read());
    if (bytes.empty()) break;
    if (!sink(bytes)) return Status(Code::kCancelled, "nobody reads the bundle any more");
  }
  const base::ExitStatus exit = child->Wait();
  if (exit.ok()) return Status();
  const std::string struck = LimitSentence(options.limits, child->error_tail());
  return Status(Code::kInternal, "git " + command + " failed in repository " + repository + ": " +
                                     (struck.empty() ? child->error_tail() : struck));
}

}  // namespace

Status WriteBundle(const GitHostOptions& options, const std::string& repository,
                   const std::function<bool(std::string_view)>& sink) {
  bool empty = true;  // git makes no bundle of nothing
  std::vector<std::string> any = {"for-each-ref", "--count=1"};
  any.insert(any.end(), kRefs.begin(), kRefs.end());
  RETURN_IF_ERROR(
      RunGit(options, repository, any, [&](std::string_view) { return empty = false, true; }));
  if (empty) return Status();
  std::vector<std::string> create = {"bundle", "create", "--quiet", "-"};
  for (const std::string& refs : kRefs) create.push_back("--glob=" + refs + "*");
  return RunGit(options, repository, create, sink);
}

Status ReadBundle(const GitHostOptions& options, const std::string& repository,
                  const std::string& bundle_path) {
  std::vector<std::string> fetch = {"fetch", "--quiet", "--no-tags", bundle_path};
  for (const std::string& refs : kRefs) fetch.push_back("+" + refs + "*:" + refs + "*");
  return RunGit(options, repository, fetch, [](std::string_view) { return true; });
}

}  // namespace gitsync

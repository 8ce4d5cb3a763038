// GitSandbox: a directory that is removed in the end, and the real git in it, cut off from this
// machine's configuration. For tests of this folder.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <string>
#include <vector>

#include "base/edge/files.h"
#include "base/edge/process.h"

namespace gitsync {

class GitSandbox {
 public:
  using Words = std::vector<std::string>;

  GitSandbox() {
    std::string path = testing::TempDir() + "gitsync-XXXXXX";
    CHECK(mkdtemp(path.data()) != nullptr);
    root_ = path;
  }
  GitSandbox(const GitSandbox&) = delete;
  ~GitSandbox() { EXPECT_TRUE(base::RemoveTree(root_).ok()); }

  const std::string& root() const { return root_; }

  Words Environment() const {
    return {"PATH=/usr/local/bin:/usr/bin:/bin",
            "HOME=" + root_ + "/nobody",
            "GIT_CONFIG_NOSYSTEM=1",
            "GIT_CONFIG_GLOBAL=/dev/null",
            "GIT_TERMINAL_PROMPT=0",
            "LC_ALL=C",
            "GIT_AUTHOR_NAME=User",
            "GIT_AUTHOR_EMAIL=user@example.com",
            "GIT_COMMITTER_NAME=User",
            "GIT_COMMITTER_EMAIL=user@example.com"};
  }
  base::ProcessOptions Command(Words arguments, const Words& environment = {}) const {
    base::ProcessOptions options;
    options.argv = std::move(arguments);
    options.argv.insert(options.argv.begin(), "git");
    options.environment = Environment();
    for (const std::string& variable : environment) options.environment->push_back(variable);
    options.directory = root_;
    return options;
  }
  base::RunOutput Try(Words arguments, std::string_view input = {},
                      const Words& environment = {}) const {
    base::Result<base::RunOutput> run = base::RunProcess(Command(std::move(arguments), environment),
                                                         input, base::Duration::Seconds(120));
    EXPECT_TRUE(run.ok()) << run.status().ToString();
    return run.ok() ? *run : base::RunOutput{{255, 0}, "", ""};
  }
  // Standard output without its last line end; a failure fails the test.
  std::string Git(Words arguments, std::string_view input = {},
                  const Words& environment = {}) const {
    const std::string command = testing::PrintToString(arguments);
    base::RunOutput run = Try(std::move(arguments), input, environment);
    EXPECT_TRUE(run.exit.ok()) << command << ": " << run.error;
    if (run.output.ends_with('\n')) run.output.pop_back();
    return run.output;
  }

 private:
  std::string root_;
};

}  // namespace gitsync

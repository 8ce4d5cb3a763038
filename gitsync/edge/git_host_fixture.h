// GitHostTest: a GitHost behind a plain HTTP server on loopback, hooks that end in an inbox of the
// test, and the real git as client. The test program is its own hook program (git_host_test.cc has
// its main).
#pragma once

#include <gtest/gtest.h>
#include <httplib.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "gitsync/edge/git_host.h"
#include "gitsync/edge/git_sandbox.h"

namespace gitsync {

// Long enough for any machine: reached only by a test that fails.
inline constexpr std::chrono::seconds kTestWait(60);

// Hook runs that wait for the test.
class HookInbox {
 public:
  struct Call {
    PushRequest push;
    std::shared_ptr<HookSession> session;
  };
  void Put(PushRequest push, std::shared_ptr<HookSession> session);
  Call Take();  // waits for one

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<Call> calls_;
};

// A git command that runs beside the test.
class RunningGit {
 public:
  RunningGit(const GitSandbox& sandbox, GitSandbox::Words arguments);
  std::string ReadUntil(const std::string& text);  // all standard error up to and with `text`
  bool Runs();
  base::ExitStatus Wait();  // and reads the rest
  void Kill();              // with what it started
  const std::string& error() const { return error_; }

 private:
  bool ReadSome();
  base::UniqueFd pipe_;
  std::optional<base::Process> process_;
  base::ExitStatus exit_;
  std::string error_;
};

class GitHostTest : public testing::Test {
 protected:
  GitHostTest();
  ~GitHostTest() override;

  // Changes what requests read, below.
  void Set(const std::function<void()>& change);
  // Hooks answer by themselves unless a test holds or replaces them.
  void HoldPreReceive();   // into pre_
  void HoldPostReceive();  // into post_
  std::unique_ptr<HookServer> StartHooks();

  // In the client's repository "work".
  std::string Work(GitSandbox::Words words, std::string_view input = {});
  std::string CommitFile(const std::string& path, const std::string& content);  // its id
  // git push ... to the host.
  GitSandbox::Words PushWords(GitSandbox::Words arguments) const;
  base::RunOutput Push(GitSandbox::Words arguments);

  std::string Ref(const std::string& ref);  // as the store sees it, or the code of its failure
  void WaitUntilIdle();                     // no request is being served

  GitSandbox sandbox_;
  GitHostOptions options_;
  std::unique_ptr<GitStore> store_;
  std::mutex mutex_;                // guards what requests read and change
  GitHostOptions service_options_;  // of POST requests
  bool may_use_ = true;
  std::vector<std::string> groups_ = {"plumb:deployer"};
  int gzip_bodies_ = 0;  // seen
  std::function<void(PushRequest, std::shared_ptr<HookSession>)> on_pre_, on_post_;
  HookInbox pre_, post_;
  std::unique_ptr<HookServer> hooks_;
  int port_ = 0;

 private:
  void Serve(const httplib::Request& request, httplib::Response& response,
             const httplib::ContentReader* reader);
  std::condition_variable idle_;
  int serving_ = 0;
  httplib::Server server_;
  std::thread server_thread_;
};

std::string OwnProgram();  // the path of this test program

}  // namespace gitsync

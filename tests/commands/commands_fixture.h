// plumb's commands as a user types them: the real program against a real server on loopback,
// without nodes, with a checkout that pushes to it.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <regex>
#include <string>
#include <vector>

#include "base/edge/files.h"
#include "base/edge/process.h"
#include "tests/support/plumb_process.h"

#ifndef PLUMB_BINARY  // tests/CMakeLists.txt names the one that was built
#define PLUMB_BINARY "plumb"
#endif

namespace testsupport {

using Words = std::vector<std::string>;

inline constexpr char kConfig[] =
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf}\ndata: {a: one}\n";
inline constexpr char kOther[] =
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf}\ndata: {a: two}\n";

class CommandsTest : public testing::Test {
 protected:
  CommandsTest() {
    char name[] = "/tmp/plumb-commands-XXXXXX";
    root_ = mkdtemp(name);
    data_dir_ = root_ + "/data";
    work_ = root_ + "/work";
    std::filesystem::create_directory(work_);
  }
  ~CommandsTest() override {
    server_.reset();
    std::filesystem::remove_all(root_);
  }

  void StartServer(const std::string& data_dir) {
    auto server = testsupport::PlumbProcess::Start(PLUMB_BINARY, data_dir);
    ASSERT_TRUE(server.ok()) << server.status().ToString();
    server_ = *std::move(server);
    data_dir_ = data_dir;
  }

  // A server with the repository "site", and a checkout that has it as a remote.
  void StartWithRepository() {
    StartServer(data_dir_);
    ASSERT_EQ(Plumb({"repo", "create", "site"}).substr(0, 6), "exit 0");
    Run({"git", "init", "-q", "-b", "main"});
    Connect();
  }
  void Connect(const std::string& role = "admin") {
    const std::string token =
        Run({PLUMB_BINARY, "token", "create", "t" + std::to_string(++tokens_), "--role", role});
    const std::string secret = token.substr(7, token.find('\n', 7) - 7);
    Run({"git", "remote", "remove", "plumb"});
    Run({"git", "remote", "add", "plumb",
         "https://me:" + secret + "@127.0.0.1:" + std::to_string(server_->port()) +
             "/git/site.git"});
  }

  // "exit N\n", standard output, then standard error.
  std::string Run(Words words) {
    base::ProcessOptions options;
    options.argv = std::move(words);
    options.directory = work_;
    options.environment = Words{"PATH=" + std::string(getenv("PATH")),
                                "HOME=" + root_,
                                "KUBECONFIG=" + data_dir_ + "/kubeconfig",
                                "GIT_SSL_CAINFO=" + data_dir_ + "/pki/ca.crt",
                                "GIT_AUTHOR_NAME=ann",
                                "GIT_AUTHOR_EMAIL=ann@localhost",
                                "GIT_COMMITTER_NAME=ann",
                                "GIT_COMMITTER_EMAIL=ann@localhost"};
    const auto run = base::RunProcess(options, "", base::Duration::Seconds(60));
    if (!run.ok()) return run.status().ToString();
    return "exit " + std::to_string(run->exit.code) + "\n" + run->output + run->error;
  }
  std::string Plumb(Words words) {
    words.insert(words.begin(), PLUMB_BINARY);
    return Run(std::move(words));
  }
  // A body, or a merge patch, by a person with a tool; the HTTP status.
  std::string SendByHand(const std::string& method, const std::string& path,
                         const std::string& body) {
    const std::string created =
        Plumb({"token", "create", "by-hand" + std::to_string(++tokens_), "--role", "admin"});
    const std::string token = created.substr(7, created.find('\n', 7) - 7);
    const std::string url = "https://127.0.0.1:" + std::to_string(server_->port()) + path;
    return Run({"curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-X", method, "--cacert",
                data_dir_ + "/pki/ca.crt", "-H", "Authorization: Bearer " + token, "-H",
                std::string("Content-Type: application/") +
                    (method == "PATCH" ? "merge-patch+json" : "json"),
                "-d", body, url + "?fieldManager=kubectl-edit"});
  }
  std::string PatchByHand(const std::string& path, const std::string& patch) {
    return SendByHand("PATCH", path, patch);
  }
  // The HTTP status that the bearer of a token gets, and a space.
  std::string Status(const std::string& token, const std::string& method, const std::string& path) {
    return Run({"curl", "-s", "-o", "/dev/null", "-w", "%{http_code} ", "-X", method, "--cacert",
                data_dir_ + "/pki/ca.crt", "-H", "Authorization: Bearer " + token,
                "https://127.0.0.1:" + std::to_string(server_->port()) + path})
        .substr(7);
  }
  // The answer's body.
  std::string Body(const std::string& token, const std::string& path) {
    return Run({"curl", "-s", "--cacert", data_dir_ + "/pki/ca.crt", "-H",
                "Authorization: Bearer " + token,
                "https://127.0.0.1:" + std::to_string(server_->port()) + path})
        .substr(7);
  }
  // What `plumb token create` prints.
  std::string Token(Words words) {
    words.insert(words.begin(), {"token", "create"});
    const std::string made = Plumb(std::move(words));
    EXPECT_EQ(Exit(made), "exit 0") << made;
    return made.substr(7, made.find('\n', 7) - 7);
  }
  // A flag: the kubeconfig of whoever has the token.
  std::string As(const std::string& token) {
    const auto admin = base::ReadFile(data_dir_ + "/kubeconfig", 1 << 20);
    const std::string file = root_ + "/kubeconfig-" + std::to_string(++tokens_);
    const std::string text = std::regex_replace(
        *admin, std::regex("    client-certificate-data: .*\n    client-key-data: .*\n"),
        "    token: " + token + "\n");
    EXPECT_TRUE(base::WriteFileAtomic(file, text, 0600).ok());
    return "--kubeconfig=" + file;
  }
  // Of a file of the server's.
  std::string Content(const std::string& file) {
    const auto content = base::ReadFile(data_dir_ + file, 1 << 20);
    return content.ok() ? *content : content.status().ToString();
  }
  static std::string Exit(const std::string& run) { return run.substr(0, run.find('\n')); }

  std::string Commit(const std::string& file, const std::string& text) {
    std::ofstream(work_ + "/" + file) << text;
    Run({"git", "add", "-A"});
    Run({"git", "commit", "-q", "--allow-empty", "-m", file});
    return Run({"git", "rev-parse", "HEAD"}).substr(7, 12);
  }
  std::string Head() { return Run({"git", "rev-parse", "HEAD"}).substr(7, 40); }
  std::string Push(Words options = {}) {
    Words words = {"git", "push", "-q", "plumb", "main"};
    words.insert(words.end(), options.begin(), options.end());
    return Exit(Run(words));
  }

  std::string root_, data_dir_, work_;
  int tokens_ = 0;
  std::unique_ptr<testsupport::PlumbProcess> server_;
};

}  // namespace testsupport

// What the hook socket does apart from a push: who may talk, what it does with bytes that no hook
// sends, slow readers, its file; and the real hook program.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "gitsync/edge/git_host_fixture.h"
#include "gitsync/edge/hook_wire.h"

namespace gitsync {
namespace {

using base::Json;
using base::Result;

constexpr char kOid[] = "ce013625030ba8dba906f756967f9e9ca394464a";

class HookServerTest : public testing::Test {
 protected:
  HookServerTest() : path_(sandbox_.root() + "/hook.sock") {}
  std::unique_ptr<HookServer> Start(
      std::function<void(PushRequest, std::shared_ptr<HookSession>)> pre_receive = nullptr) {
    Result<std::unique_ptr<HookServer>> server =
        HookServer::Start(path_, {std::move(pre_receive), nullptr});
    EXPECT_TRUE(server.ok()) << server.status().ToString();
    return *std::move(server);
  }
  base::UniqueFd Connect() {
    base::UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path_.data(), path_.size());
    EXPECT_EQ(connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    return fd;
  }
  // All messages that come after `bytes` were sent, as lines.
  std::string Say(int fd, const std::string& bytes) {
    EXPECT_EQ(send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL), ssize_t(bytes.size()));
    return Listen(fd);
  }
  std::string Listen(int fd) {
    FrameReader reader;
    std::string heard;
    char buffer[4096];
    for (ssize_t got; (got = recv(fd, buffer, sizeof buffer, 0)) > 0;) {
      reader.Append(std::string_view(buffer, static_cast<size_t>(got)));
      while (true) {
        const Result<std::optional<Json>> message = reader.Next();
        if (!message.ok() || !*message) break;
        heard += (*message)->ToString() + "\n";
      }
    }
    return heard;
  }
  std::string Request(const std::string& ref) {
    HookCall call;
    call.hook = "pre-receive";
    call.push.repository = "shop";
    call.push.user = "alice";
    call.push.updates = {{std::string(40, '0'), kOid, ref}};
    return Frame(EncodeCall(call));
  }
  base::RunOutput RunHookProgram(const std::string& name, const std::string& input,
                                 GitSandbox::Words environment = {}) {
    const std::string program = sandbox_.root() + "/git-hook";
    EXPECT_TRUE(WriteHookProgram(program).ok());
    base::ProcessOptions options;
    options.argv = {program, "git-hook", name, "--socket", path_};
    environment.insert(environment.end(), {"PLUMB_REPOSITORY=shop", "PLUMB_USER=alice"});
    options.environment = environment;
    return *base::RunProcess(options, input, base::Duration::Seconds(60));
  }

  GitSandbox sandbox_;
  std::string path_;
};

TEST_F(HookServerTest, TheSocketIsForItsOwnerAndGoesWithTheServer) {
  std::unique_ptr<HookServer> server = Start();
  struct stat info = {};
  ASSERT_EQ(stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  server.reset();
  EXPECT_NE(stat(path_.c_str(), &info), 0);
}

TEST_F(HookServerTest, ASecondServerIsRefusedAndAStaleSocketReplaced) {
  std::unique_ptr<HookServer> server = Start();
  EXPECT_EQ(HookServer::Start(path_, {}).status().ToString(),
            "ServiceUnavailable: another plumb server listens on " + path_ +
                "; stop it, or use another --data-dir");
  server.reset();
  {
    const base::UniqueFd stale(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path_.data(), path_.size());
    ASSERT_EQ(bind(stale.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  EXPECT_NE(Start(), nullptr);
}

TEST_F(HookServerTest, APathThatNoSocketCanHaveIsRefused) {
  path_ = sandbox_.root() + "/" + std::string(120, 'x');
  EXPECT_EQ(HookServer::Start(path_, {}).status().code(), base::Code::kInvalid);
}

TEST_F(HookServerTest, AHookIsAnsweredInLinesAndACode) {
  const auto server = Start([](PushRequest push, std::shared_ptr<HookSession> session) {
    session->Print("checking " + push.updates[0].ref);
    session->Finish(3);
    session->Finish(0);
    session->Print("after the end");
  });
  const base::UniqueFd fd = Connect();
  EXPECT_EQ(Say(fd.get(), Request("refs/heads/main")),
            "{\"line\":\"checking refs/heads/main\"}\n{\"exit\":3}\n");
}

TEST_F(HookServerTest, ARequestMayComeByteByByte) {
  const auto server =
      Start([](PushRequest, std::shared_ptr<HookSession> session) { session->Finish(0); });
  const base::UniqueFd fd = Connect();
  for (const char c : Request("refs/heads/main")) ASSERT_EQ(send(fd.get(), &c, 1, 0), 1);
  EXPECT_EQ(Listen(fd.get()), "{\"exit\":0}\n");
}

TEST_F(HookServerTest, WhatNoHookSendsIsRefusedAndTheServerGoesOn) {
  const auto server =
      Start([](PushRequest, std::shared_ptr<HookSession> session) { session->Finish(0); });
  const auto say = [&](const std::string& bytes) {
    const base::UniqueFd fd = Connect();
    return Say(fd.get(), bytes);
  };
  EXPECT_EQ(say(Request("refs/heads/../x")).substr(0, 55),
            "{\"line\":\"plumb: \\\"refs/heads/../x\\\" cannot name a ref: ");
  EXPECT_EQ(say(Frame(Json::MakeObject({{"hook", "update"}}))),
            "{\"line\":\"plumb: malformed hook request: there is no hook \\\"update\\\"\"}\n"
            "{\"exit\":1}\n");
  EXPECT_EQ(say(std::string("\0\0\0\2{x", 6)).substr(0, 16), "{\"line\":\"plumb: ");
  EXPECT_EQ(say(std::string("\xff\xff\xff\xff", 4)),
            "{\"line\":\"plumb: a hook message of 4294967295 bytes is larger than 4194304\"}\n"
            "{\"exit\":1}\n");
  EXPECT_EQ(say(Request("refs/heads/main")), "{\"exit\":0}\n");
}

TEST_F(HookServerTest, ManyHooksWaitAtOnce) {
  HookInbox inbox;
  const auto server = Start([&](PushRequest push, std::shared_ptr<HookSession> session) {
    inbox.Put(std::move(push), std::move(session));
  });
  std::vector<base::UniqueFd> fds;
  for (int i = 0; i < 50; ++i) {
    fds.push_back(Connect());
    const std::string request = Request("refs/heads/b" + std::to_string(i));
    ASSERT_EQ(send(fds.back().get(), request.data(), request.size(), 0), ssize_t(request.size()));
  }
  for (int i = 0; i < 50; ++i) {
    const HookInbox::Call call = inbox.Take();
    call.session->Print(call.push.updates.at(0).ref);
    call.session->Finish(0);
  }
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(Listen(fds[static_cast<size_t>(i)].get()),
              "{\"line\":\"refs/heads/b" + std::to_string(i) + "\"}\n{\"exit\":0}\n");
  }
}

TEST_F(HookServerTest, AHookThatDoesNotReadLosesLinesButNotItsAnswer) {
  HookInbox inbox;
  const auto server = Start([&](PushRequest push, std::shared_ptr<HookSession> session) {
    inbox.Put(std::move(push), std::move(session));
  });
  const base::UniqueFd fd = Connect();
  const std::string request = Request("refs/heads/main");
  ASSERT_EQ(send(fd.get(), request.data(), request.size(), 0), ssize_t(request.size()));
  const HookInbox::Call call = inbox.Take();
  const std::string line(4000, 'x');
  for (int i = 0; i < 5000; ++i) ASSERT_TRUE(call.session->Print(line));
  call.session->Finish(7);
  const std::string heard = Listen(fd.get());
  EXPECT_LT(heard.size(), 5u << 20);
  EXPECT_NE(heard.find(" lines are left out: they came faster than they were read)"),
            std::string::npos);
  EXPECT_TRUE(heard.ends_with("\n{\"exit\":7}\n"));
}

TEST_F(HookServerTest, NoLineSteersTheTerminalOfWhoPushes) {
  const auto server = Start([](PushRequest, std::shared_ptr<HookSession> session) {
    session->Print(
        "a\tb \x1b[8mhidden\x1b[0m \xc2\x9b"
        "2J \xe2\x80\xae"
        "dlrow\nnext \xff");
    session->Finish(0);
  });
  const base::RunOutput run =
      RunHookProgram("pre-receive", std::string(40, '0') + " " + kOid + " refs/heads/main\n", {});
  EXPECT_EQ(run.error, "a b  [8mhidden [0m  2J ?dlrow next ?\n");
}

TEST_F(HookServerTest, TheHookProgramPassesOnWhatItIsTold) {
  const auto server = Start([](PushRequest push, std::shared_ptr<HookSession> session) {
    session->Print(push.user + " " + push.repository + " " + push.options.at(0));
    session->Finish(push.updates.empty() ? 5 : 4);
  });
  const base::RunOutput run =
      RunHookProgram("pre-receive", std::string(40, '0') + " " + kOid + " refs/heads/main\n",
                     {"GIT_PUSH_OPTION_COUNT=1", "GIT_PUSH_OPTION_0=dry-run"});
  EXPECT_EQ(run.exit.code, 4);
  EXPECT_EQ(run.error, "alice shop dry-run\n");
}

TEST_F(HookServerTest, TheHookProgramRefusesWhatItCannotPassOn) {
  EXPECT_EQ(RunHookProgram("pre-receive", "nonsense\n").error,
            "plumb: git handed over a malformed line: nonsense; nothing was accepted\n");
  const std::string name = "refs/heads/na\xefve";
  const base::RunOutput run =
      RunHookProgram("pre-receive", std::string(40, '0') + " " + kOid + " " + name + "\n");
  EXPECT_EQ(run.error, "plumb: the name of a ref must be UTF-8; nothing was accepted\n");
  EXPECT_EQ(run.exit.code, 1);
  EXPECT_EQ(RunHookProgram("post-receive", "").error,
            "plumb: the plumb server does not answer: No such file or directory; the push is "
            "accepted, `plumb wait` says how it ends\n");
}

}  // namespace
}  // namespace gitsync

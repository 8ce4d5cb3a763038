// The fixture's own code, and the main of this test program: called as a hook, it is one.
#include "gitsync/edge/git_host_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

namespace gitsync {

using base::Result;
using base::Status;

std::string OwnProgram() { return std::filesystem::read_symlink("/proc/self/exe").string(); }

void HookInbox::Put(PushRequest push, std::shared_ptr<HookSession> session) {
  const std::lock_guard lock(mutex_);
  calls_.push_back({std::move(push), std::move(session)});
  arrived_.notify_all();
}

namespace {

// Stands in for the hook that did not come: the test has failed, and goes on to clean up.
class NoSession : public HookSession {
 public:
  bool Print(const std::string&) override { return false; }
  void Finish(int) override {}
};

}  // namespace

HookInbox::Call HookInbox::Take() {
  std::unique_lock lock(mutex_);
  if (!arrived_.wait_for(lock, kTestWait, [&] { return !calls_.empty(); })) {
    ADD_FAILURE() << "no hook was run";
    return {{}, std::make_shared<NoSession>()};
  }
  Call call = std::move(calls_.front());
  calls_.pop_front();
  return call;
}

RunningGit::RunningGit(const GitSandbox& sandbox, GitSandbox::Words arguments) {
  int ends[2];
  CHECK(pipe2(ends, O_CLOEXEC) == 0);
  pipe_.Reset(ends[0]);
  const base::UniqueFd child_end(ends[1]);
  base::ProcessOptions options = sandbox.Command(std::move(arguments));
  options.error = child_end.get();
  options.new_session = true;
  Result<base::Process> process = base::Process::Start(options);
  CHECK(process.ok());
  process_.emplace(*std::move(process));
}

bool RunningGit::ReadSome() {
  char buffer[4096];
  const ssize_t got = read(pipe_.get(), buffer, sizeof buffer);
  if (got > 0) error_.append(buffer, static_cast<size_t>(got));
  return got > 0;
}

std::string RunningGit::ReadUntil(const std::string& text) {
  while (error_.find(text) == std::string::npos && ReadSome()) {
  }
  return error_;
}

bool RunningGit::Runs() { return process_ && !process_->Poll(); }

base::ExitStatus RunningGit::Wait() {
  while (ReadSome()) {
  }
  if (process_) exit_ = process_->Wait();
  process_.reset();
  return exit_;
}

void RunningGit::Kill() {
  kill(-process_->pid(), SIGKILL);
  Wait();
}

GitHostTest::GitHostTest() {
  options_.root = sandbox_.root() + "/repos";
  options_.hook_socket = sandbox_.root() + "/hook.sock";
  options_.hook_program = OwnProgram();
  service_options_ = options_;
  store_ = OpenGitStore(options_);
  EXPECT_TRUE(store_->Create("shop", "main").ok());
  on_pre_ =
      on_post_ = [](PushRequest, std::shared_ptr<HookSession> session) { session->Finish(0); };
  hooks_ = StartHooks();
  server_.Get("/git/.*", [this](const httplib::Request& request, httplib::Response& response) {
    Serve(request, response, nullptr);
  });
  server_.Post("/git/.*",
               [this](const httplib::Request& request, httplib::Response& response,
                      const httplib::ContentReader& reader) { Serve(request, response, &reader); });
  server_.set_read_timeout(60);
  port_ = server_.bind_to_any_port("127.0.0.1");
  server_thread_ = std::thread([this] { server_.listen_after_bind(); });
  while (!server_.is_running()) std::this_thread::yield();
  sandbox_.Git({"init", "--quiet", "--initial-branch=main", "work"});
}

GitHostTest::~GitHostTest() {
  hooks_.reset();
  server_.stop();
  server_thread_.join();
}

std::unique_ptr<HookServer> GitHostTest::StartHooks() {
  const auto guarded = [this](auto& handler) {
    return [this, &handler](PushRequest push, std::shared_ptr<HookSession> session) {
      const std::lock_guard lock(mutex_);
      handler(std::move(push), std::move(session));
    };
  };
  Result<std::unique_ptr<HookServer>> hooks =
      HookServer::Start(options_.hook_socket, {guarded(on_pre_), guarded(on_post_)});
  CHECK(hooks.ok());
  return *std::move(hooks);
}

void GitHostTest::Set(const std::function<void()>& change) {
  const std::lock_guard lock(mutex_);
  change();
}

void GitHostTest::HoldPreReceive() {
  Set([this] {
    on_pre_ = [this](PushRequest push, std::shared_ptr<HookSession> session) {
      pre_.Put(std::move(push), std::move(session));
    };
  });
}

void GitHostTest::HoldPostReceive() {
  Set([this] {
    on_post_ = [this](PushRequest push, std::shared_ptr<HookSession> session) {
      post_.Put(std::move(push), std::move(session));
    };
  });
}

std::string GitHostTest::Work(GitSandbox::Words words, std::string_view input) {
  words.insert(words.begin(), {"-C", "work"});
  return sandbox_.Git(std::move(words), input);
}

std::string GitHostTest::CommitFile(const std::string& path, const std::string& content) {
  EXPECT_TRUE(base::WriteFileAtomic(sandbox_.root() + "/work/" + path, content, 0644).ok());
  Work({"add", path});
  Work({"commit", "--quiet", "-m", "Change " + path});
  return Work({"rev-parse", "HEAD"});
}

GitSandbox::Words GitHostTest::PushWords(GitSandbox::Words arguments) const {
  GitSandbox::Words words = {"-C", "work", "push"};
  const std::string url = "http://127.0.0.1:" + std::to_string(port_) + "/git/shop.git";
  // Options first, then the remote, then what is pushed.
  bool named = false;
  for (std::string& argument : arguments) {
    if (!named && !argument.starts_with("-")) {
      words.push_back(url);
      named = true;
    }
    words.push_back(std::move(argument));
  }
  return words;
}

base::RunOutput GitHostTest::Push(GitSandbox::Words arguments) {
  return sandbox_.Try(PushWords(std::move(arguments)));
}

std::string GitHostTest::Ref(const std::string& ref) {
  const Result<std::string> oid = store_->Resolve("shop", ref);
  return oid.ok() ? *oid : std::string(base::ReasonOf(oid.status().code()));
}

void GitHostTest::WaitUntilIdle() {
  std::unique_lock lock(mutex_);
  CHECK(idle_.wait_for(lock, kTestWait, [&] { return serving_ == 0; }));
}

namespace {

// The library writes a streamed body after its handler has returned; GitHost::Serve writes it
// within its call. So Serve runs on a thread of its own and waits for the library's turn.
struct Handoff {
  std::mutex mutex;
  std::condition_variable changed;
  bool has_head = false;
  int status = 0;
  std::string content_type;
  std::string body;
  bool streams = false;
  httplib::DataSink* sink = nullptr;  // the library's turn has come
  bool dropped = false;               // it will not come any more
  bool streamed = false;
  std::thread thread;

  void SetHead(int new_status, const std::string& type, const std::string& text, bool stream) {
    const std::lock_guard lock(mutex);
    has_head = true;
    status = new_status;
    content_type = type;
    body = text;
    streams = stream;
    changed.notify_all();
  }
  template <typename Predicate>
  void WaitFor(Predicate predicate) {
    std::unique_lock lock(mutex);
    changed.wait(lock, predicate);
  }
  template <typename T>
  void Set(T& member, T value) {
    const std::lock_guard lock(mutex);
    member = value;
    changed.notify_all();
  }
};

GitHttpResponse ResponseTo(Handoff& handoff) {
  GitHttpResponse response;
  response.send = [&](int status, const std::string& type, const std::string& body) {
    handoff.SetHead(status, type, body, false);
  };
  response.stream = [&](int status, const std::string& type, const auto& source) {
    handoff.SetHead(status, type, "", true);
    handoff.WaitFor([&] { return handoff.sink != nullptr || handoff.dropped; });
    if (handoff.dropped) return;
    source([&](std::string_view piece) { return handoff.sink->write(piece.data(), piece.size()); });
    handoff.Set(handoff.streamed, true);
  };
  return response;
}

}  // namespace

void GitHostTest::Serve(const httplib::Request& request, httplib::Response& response,
                        const httplib::ContentReader* reader) {
  GitHttpRequest asked;
  asked.method = request.method;
  asked.path = request.path.substr(4);
  const size_t query = request.target.find('?');
  if (query != std::string::npos) asked.query = request.target.substr(query + 1);
  asked.content_type = request.get_header_value("Content-Type");
  asked.protocol = request.get_header_value("Git-Protocol");
  asked.user = "alice";
  asked.read_body = [reader](const std::function<bool(std::string_view)>& sink) -> Status {
    const bool whole = (*reader)(
        [&](const char* data, size_t size) { return sink(std::string_view(data, size)); });
    return whole ? Status() : Status(base::Code::kCancelled, "the client went away");
  };
  GitHostOptions options = options_;
  {
    const std::lock_guard lock(mutex_);
    ++serving_;
    asked.groups = groups_;
    const Status may = may_use_ ? Status() : Status(base::Code::kForbidden, "no, alice");
    asked.may_push = asked.may_fetch = [may](const std::string&) { return may; };
    if (request.get_header_value("Content-Encoding") == "gzip") ++gzip_bodies_;
    if (request.method == "POST") options = service_options_;
  }
  auto handoff = std::make_shared<Handoff>();
  handoff->thread = std::thread([this, handoff = handoff.get(), asked, options] {
    GitHost(options).Serve(asked, ResponseTo(*handoff));
    const std::lock_guard lock(mutex_);
    --serving_;
    idle_.notify_all();
  });
  handoff->WaitFor([&] { return handoff->has_head; });
  response.status = handoff->status;
  if (!handoff->streams) {
    handoff->thread.join();
    response.set_content(handoff->body, handoff->content_type);
    return;
  }
  response.set_chunked_content_provider(
      handoff->content_type,
      [handoff](size_t, httplib::DataSink& sink) {
        handoff->Set(handoff->sink, &sink);
        handoff->WaitFor([&] { return handoff->streamed; });
        sink.done();
        return true;
      },
      [handoff](bool) {
        handoff->Set(handoff->dropped, true);
        handoff->thread.join();
      });
}

}  // namespace gitsync

int main(int argc, char** argv) {
  if (argc == 5 && std::strcmp(argv[1], "git-hook") == 0) return gitsync::RunHook(argv[2], argv[4]);
  signal(SIGPIPE, SIG_IGN);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}

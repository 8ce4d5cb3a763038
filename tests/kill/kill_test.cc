// Kills the real `plumb server` (SIGKILL) under load, again and again, and looks each time at what
// a start on the same data serves:
//   - every acknowledged write is there: a register holds the number that was last acknowledged, or
//     one that was sent after it;
//   - no transaction of several objects is there in part: a collection is deleted wholly or not at
//     all;
//   - revisions go on from where they were: none is given out twice.
// When the kill comes is drawn from a seed, as a count of acknowledged writes and of turns of an
// empty loop, so that it falls everywhere between two replies; what is asserted holds wherever.
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>

#include <atomic>
#include <map>
#include <mutex>
#include <thread>

#include "base/edge/files.h"
#include "base/json.h"
#include "base/rng.h"
#include "tests/support/api_connection.h"
#include "tests/support/plumb_process.h"

namespace {

using testsupport::ApiAnswer;
using testsupport::ApiConnection;
using testsupport::ApiTrust;
using testsupport::PlumbProcess;

constexpr int kKills = 200;
constexpr int kWriters = 4;                    // of registers
constexpr int kRegisters = 5;                  // a writer's
constexpr int kGroupObjects = 6;               // of a collection
constexpr uint64_t kMaxAcknowledgements = 50;  // of one life of the server
constexpr uint64_t kMaxTurns = 200'000;        // of the empty loop
constexpr size_t kPaddingBytes = 600;
const std::string kPath = "/api/v1/namespaces/default/configmaps";

std::string ConfigMap(const std::string& name, const std::string& group, int number) {
  return R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":")" + name +
         R"(","labels":{"group":")" + group + R"("}},"data":{"number":")" + std::to_string(number) +
         R"(","padding":")" + std::string(kPaddingBytes, 'x') + "\"}}";
}

uint64_t RevisionOf(const base::Json& object) {
  return std::strtoull(std::string(object["metadata"]["resourceVersion"].AsString()).c_str(),
                       nullptr, 10);
}

// What was sent and what was acknowledged of one register. Numbers count from 1; 0: nothing.
struct Register {
  int sent = 0;
  int acknowledged = 0;
};

// A collection that is made one by one and deleted at once.
struct Group {
  std::string name;
  int created = 0;  // acknowledged
  bool delete_sent = false;
  bool delete_acknowledged = false;
};

// Ends the server after a drawn number of acknowledgements.
class Executioner {
 public:
  Executioner(PlumbProcess& server, base::Rng& rng)
      : server_(server),
        left_(static_cast<int64_t>(rng.Below(kMaxAcknowledgements)) + 1),
        turns_(rng.Below(kMaxTurns)) {}

  void Acknowledged() {
    if (--left_ != 0) return;
    for (volatile uint64_t turn = 0; turn < turns_;) turn = turn + 1;
    killed_ = true;
    server_.Kill();
  }
  bool killed() const { return killed_; }

 private:
  PlumbProcess& server_;
  std::atomic<int64_t> left_;
  const uint64_t turns_;
  std::atomic<bool> killed_{false};
};

class KillTest : public testing::Test {
 protected:
  KillTest() {
    signal(SIGPIPE, SIG_IGN);  // a client writes to a server that has just ended
    std::string path = testing::TempDir() + "plumb-kill-XXXXXX";
    CHECK(mkdtemp(path.data()) != nullptr);
    directory_ = path;
  }
  ~KillTest() override {
    server_.reset();
    EXPECT_TRUE(base::RemoveTree(directory_).ok());
  }

  void StartServer() {
    auto server = PlumbProcess::Start(PLUMB_BINARY, directory_ + "/data");
    ASSERT_TRUE(server.ok()) << server.status().ToString();
    server_ = *std::move(server);
    if (trust_) return;
    auto trust = ApiTrust::OfDataDir(server_->data_dir());
    ASSERT_TRUE(trust.ok()) << trust.status().ToString();
    trust_ = *trust;
  }

  // Everybody writes until the server is gone.
  void Load(int round) {
    Executioner executioner(*server_, rng_);
    group_ = Group{"group-" + std::to_string(round)};
    std::vector<std::thread> threads;
    for (int i = 0; i < kWriters; ++i)
      threads.emplace_back([&, i] { WriteRegisters(i, executioner); });
    threads.emplace_back([&] { WriteGroups(executioner); });
    for (std::thread& thread : threads) thread.join();
    ASSERT_TRUE(executioner.killed()) << refusals_;
  }

  // False when the server is gone. An answer that is no success ends the test.
  bool Send(ApiConnection& api, Executioner& executioner, std::string_view method,
            const std::string& target, const std::string& body,
            const std::function<void()>& acknowledge) {
    const base::Result<ApiAnswer> answer = api.Do(method, target, body);
    if (!answer.ok()) return false;
    if (answer->status / 100 != 2) {
      const std::lock_guard<std::mutex> lock(mutex_);
      refusals_ += std::string(method) + " " + target + ": " + answer->body + "\n";
      return false;
    }
    const base::Result<base::Json> object = base::ParseJson(answer->body);
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      acknowledge();
      if (object.ok()) newest_ = std::max(newest_, RevisionOf(*object));
      ++acknowledged_;
    }
    executioner.Acknowledged();
    return true;
  }

  void WriteRegisters(int writer, Executioner& executioner) {
    auto api = ApiConnection::Open(*trust_, server_->port());
    if (!api.ok()) return;
    for (int next = 0;; next = (next + 1) % kRegisters) {
      const std::string name = "register-" + std::to_string(writer) + "-" + std::to_string(next);
      Register* each = nullptr;
      {
        const std::lock_guard<std::mutex> lock(mutex_);
        each = &registers_[name];
      }
      const int number = ++each->sent;
      const bool is_new = each->acknowledged == 0;
      const std::string target = is_new ? kPath : kPath + "/" + name;
      if (!Send(*api, executioner, is_new ? "POST" : "PUT", target,
                ConfigMap(name, "registers", number), [&] { each->acknowledged = number; })) {
        return;
      }
    }
  }

  void WriteGroups(Executioner& executioner) {
    auto api = ApiConnection::Open(*trust_, server_->port());
    if (!api.ok()) return;
    for (;;) {
      group_.created = 0;
      group_.delete_sent = group_.delete_acknowledged = false;
      for (int i = 0; i < kGroupObjects; ++i) {
        const std::string name = group_.name + "-" + std::to_string(i);
        if (!Send(*api, executioner, "POST", kPath, ConfigMap(name, group_.name, 1),
                  [&] { ++group_.created; })) {
          return;
        }
      }
      group_.delete_sent = true;
      if (!Send(*api, executioner, "DELETE", kPath + "?labelSelector=group%3D" + group_.name, "",
                [&] { group_.delete_acknowledged = true; })) {
        return;
      }
    }
  }

  // What the server says that there is, against what it has told before.
  void Verify() {
    auto api = ApiConnection::Open(*trust_, server_->port());
    ASSERT_TRUE(api.ok()) << api.status().ToString();
    const base::Result<std::string> text = api->Ask("GET", kPath);
    ASSERT_TRUE(text.ok()) << text.status().ToString();
    const base::Result<base::Json> list = base::ParseJson(*text);
    ASSERT_TRUE(list.ok());
    EXPECT_GE(RevisionOf(*list), newest_) << "a revision that was told is not known any more";

    std::map<std::string, int> numbers;
    std::map<std::string, int> groups;
    for (const base::Json& item : (*list)["items"].Elements()) {
      numbers[std::string(item["metadata"]["name"].AsString())] =
          std::atoi(std::string(item["data"]["number"].AsString()).c_str());
      ++groups[std::string(item["metadata"]["labels"]["group"].AsString())];
    }
    for (auto& [name, each] : registers_) {
      const int found = numbers[name];
      EXPECT_TRUE(found >= each.acknowledged && found <= each.sent)
          << name << " holds " << found << "; acknowledged " << each.acknowledged << ", sent "
          << each.sent;
      each = {found, found};  // what was served stays
    }
    const int present = groups[group_.name];
    if (group_.delete_acknowledged) {
      EXPECT_EQ(present, 0) << group_.name << " was deleted";
    } else if (group_.delete_sent) {
      EXPECT_TRUE(present == 0 || present == kGroupObjects)
          << group_.name << " was deleted in part: " << present << " are left";
      deletes_cut_ += 1;
    } else {
      EXPECT_TRUE(present == group_.created || present == group_.created + 1)
          << group_.name << " has " << present << "; acknowledged " << group_.created;
    }
    // Away with what is left, so that the list stays short: through the same door.
    if (present != 0) {
      const base::Result<std::string> cleared =
          api->Ask("DELETE", kPath + "?labelSelector=group%3D" + group_.name);
      ASSERT_TRUE(cleared.ok()) << cleared.status().ToString();
    }
    group_ = Group{"no-group"};
  }

  std::string directory_;
  std::unique_ptr<PlumbProcess> server_;
  std::optional<ApiTrust> trust_;
  base::Rng rng_{20261123};

  std::mutex mutex_;  // guards what follows while writers run
  std::map<std::string, Register> registers_;
  Group group_;  // of this round: its writer's alone until it has ended
  uint64_t newest_ = 0;
  int acknowledged_ = 0;
  int deletes_cut_ = 0;
  std::string refusals_;
};

TEST_F(KillTest, EveryAcknowledgedWriteIsThereAfterEachKill) {
  ASSERT_NO_FATAL_FAILURE(StartServer());
  for (int round = 0; round < kKills; ++round) {
    SCOPED_TRACE("kill " + std::to_string(round));
    ASSERT_NO_FATAL_FAILURE(Load(round));
    ASSERT_NO_FATAL_FAILURE(StartServer());
    ASSERT_NO_FATAL_FAILURE(Verify());
    ASSERT_FALSE(HasFailure());
    EXPECT_EQ(refusals_, "");
  }
  RecordProperty("acknowledged", acknowledged_);
  RecordProperty("deletes_cut", deletes_cut_);
  EXPECT_GE(acknowledged_, kKills);
  // In order and started again, it serves the same.
  EXPECT_EQ(server_->Stop().code, 0);
  ASSERT_NO_FATAL_FAILURE(StartServer());
  ASSERT_NO_FATAL_FAILURE(Verify());
}

}  // namespace

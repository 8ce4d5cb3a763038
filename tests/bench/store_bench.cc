// Durable commits by writers that each wait for their last one, three ways, the same bytes:
//   Store::Commit until WhenDurable (one loop, one object a commit);
//   the floor: LevelDB's Put with sync, a thread a writer, on the record that the store would
//   write; the peer: etcd's Put over gRPC on loopback.
// The three take turns, so that a noisy machine disturbs them alike; medians of kRuns.
#include <leveldb/db.h>

#include "base/edge/files.h"
#include "state/edge/leveldb_storage.h"
#include "state/record.h"
#include "state/store.h"
#include "tests/bench/bench.h"
#include "tests/bench/etcd_peer.h"
#include "tests/bench/objects.h"

namespace bench {
namespace {

constexpr int kRuns = 5;
constexpr double kSeconds = 1.5;  // of one run
constexpr size_t kObjectBytes = 1000;

// Writers on the store's own loop.
class StoreWriters {
 public:
  StoreWriters(state::Store& store, const base::Document& document, int writers, double until)
      : store_(store), document_(document), until_(until), left_(writers) {
    for (int i = 0; i < writers; ++i) Next("object-" + std::to_string(i));
  }
  std::future<size_t> Done() { return finished_.get_future(); }

 private:
  void Next(const std::string& name) {
    state::Write write{{"configmaps", "bench", name}, document_, 0};
    if (const state::ObjectPtr now = store_.view().Get(write.key)) write.expected = now->revision;
    state::Transaction transaction;
    transaction.writes.push_back(std::move(write));
    const auto committed = store_.Commit(transaction);
    CHECK(committed.ok());
    store_.WhenDurable(committed->last, [this, name] {
      ++count_;
      if (Seconds() < until_) {
        Next(name);
      } else if (--left_ == 0) {
        finished_.set_value(count_);
      }
    });
  }

  state::Store& store_;
  const base::Document document_;
  const double until_;
  int left_;
  size_t count_ = 0;
  std::promise<size_t> finished_;
};

double StoreCommits(RunningLoop& loop, state::Store& store, const base::Document& document,
                    int writers) {
  const double begin = Seconds();
  std::unique_ptr<StoreWriters> all;
  std::future<size_t> done = loop.Call([&] {
    all = std::make_unique<StoreWriters>(store, document, writers, begin + kSeconds);
    return all->Done();
  });
  const size_t count = done.get();
  const double rate = static_cast<double>(count) / (Seconds() - begin);
  loop.Call([&] { return all.reset(), 0; });
  return rate;
}

base::Result<double> LevelDbPuts(leveldb::DB& db, const std::string& value, int writers) {
  std::atomic<uint64_t> next{1};
  std::atomic<size_t> count{0};
  const double begin = Seconds();
  const base::Status status = InParallel(writers, [&](int) {
    leveldb::WriteOptions options;
    options.sync = true;
    while (Seconds() < begin + kSeconds) {
      const leveldb::Status put = db.Put(options, state::RecordKey(next++), value);
      if (!put.ok()) return base::Status(base::Code::kInternal, put.ToString());
      ++count;
    }
    return base::Status();
  });
  if (!status.ok()) return status;
  return static_cast<double>(count.load()) / (Seconds() - begin);
}

}  // namespace

base::Status BenchStore(const Context& context) {
  base::Json object = ConfigMap("bench", "object", kObjectBytes);
  object["metadata"].Set("resourceVersion", "");
  const base::Document document(object);
  const std::string record =
      state::EncodeRecord({false, true,
                           std::make_shared<state::Object>(state::Object{
                               {"configmaps", "bench", "object-1"},
                               1'000'000,
                               document.WithString("metadata", "resourceVersion", "1000000")})});

  RunningLoop loop;
  ASSIGN_OR_RETURN(std::unique_ptr<state::Storage> storage,
                   state::OpenLevelDb(Path(context, "store")));
  base::Status broken;
  ASSIGN_OR_RETURN(std::unique_ptr<state::Store> store,
                   state::Store::Open(loop.loop(), *storage, {},
                                      [&](base::Status status) { broken = std::move(status); }));
  leveldb::Options settings;
  settings.create_if_missing = true;
  settings.write_buffer_size = state::LevelDbOptions().write_buffer_bytes;
  settings.max_file_size = state::LevelDbOptions().max_file_bytes;
  leveldb::DB* raw = nullptr;
  if (const leveldb::Status opened = leveldb::DB::Open(settings, Path(context, "floor"), &raw);
      !opened.ok())
    return base::Status(base::Code::kInternal, opened.ToString());
  const std::unique_ptr<leveldb::DB> floor(raw);
  const base::Result<std::unique_ptr<EtcdPeer>> etcd = EtcdPeer::Start(Path(context, "etcd"));

  for (const int writers : {1, 16, 64}) {
    std::vector<double> ours, floors, peers;
    for (int run = 0; run < kRuns; ++run) {
      ours.push_back(StoreCommits(loop, *store, document, writers));
      ASSIGN_OR_RETURN(const double puts, LevelDbPuts(*floor, record, writers));
      floors.push_back(puts);
      if (!etcd.ok()) continue;
      ASSIGN_OR_RETURN(const double peer, (*etcd)->Puts(writers, record, kSeconds));
      peers.push_back(peer);
    }
    RETURN_IF_ERROR(broken);
    Figure figure{"store.commits",
                  {{"writers", writers},
                   {"object_bytes", static_cast<int64_t>(document.Bytes().size())},
                   {"runs", kRuns}},
                  Median(ours),
                  "commits/s",
                  "LevelDB, put with sync, as many threads",
                  Median(floors),
                  RatioAtLeast(0.8)};
    Report(figure);
    figure.compared_with =
        etcd.ok() ? "etcd " + (*etcd)->version() + ", put over gRPC on loopback, same disk"
                  : "etcd (not here: " + std::string(etcd.status().message()) + ")";
    figure.compared_value = etcd.ok() ? std::optional(Median(peers)) : std::nullopt;
    figure.aim = writers == 1 ? NoAim() : RatioAtLeast(3);
    Report(figure);
  }
  loop.Call([&] { return store.reset(), 0; });
  return {};
}

}  // namespace bench

// Watches over the change log: which events which client sees, in what order, and when it is cut
// off.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <utility>

#include "base/piecework.h"
#include "manifests/wire/protobuf.h"
#include "manifests/wire/wire_format.h"
#include "state/api/testing/test_api.h"
#include "state/api/watch_hub.h"

namespace state {
namespace {

// What a client received, one line an event: "ADDED a", "BOOKMARK end".
struct Received {
  std::string events;
  struct Event {
    std::string type;
    Revision revision = 0;
  };
  std::vector<Event> all;
  std::vector<std::shared_ptr<const std::string>> pieces;  // as they were shared
  bool open = true;
  bool slow = false;  // takes nothing
  size_t backlog = 0;
};

// A piece of a stream: a line of JSON, or a frame of protobuf.
base::Json EventOf(std::string_view bytes) {
  if (bytes.front() == '{') {
    const auto parsed = base::ParseJson(bytes);
    CHECK(parsed.ok());
    return *parsed;
  }
  const manifests::Message* message =
      manifests::Schema::BuiltIn()->FindMessage("core/v1", "ConfigMap");
  manifests::WireReader event(bytes.substr(4));
  const auto type = event.Next();
  const auto extension = event.Next();
  CHECK(type.ok() && extension.ok());
  const auto body = manifests::WireReader(extension->bytes).Next();
  CHECK(body.ok());
  const auto object = manifests::DecodeBody(*message, body->bytes);
  CHECK(object.ok());
  return base::Json::MakeObject({{"type", type->bytes}, {"object", *object}});
}

class FakeStream final : public base::Stream {
 public:
  explicit FakeStream(Received& received) : received_(received) {}
  ~FakeStream() override { received_.open = false; }
  bool Write(std::string_view bytes) override {
    if (received_.slow) received_.backlog += bytes.size();
    const base::Json event = EventOf(bytes);
    const base::Json& metadata = event["object"]["metadata"];
    if (!received_.events.empty()) received_.events += ", ";
    received_.events +=
        std::string(event["type"].AsString()) + " " + std::string(metadata["name"].AsString());
    if (metadata["annotations"].Has("k8s.io/initial-events-end")) received_.events += "end";
    received_.all.push_back({std::string(event["type"].AsString()),
                             std::stoull(std::string(metadata["resourceVersion"].AsString()))});
    return received_.backlog <= base::kMaxStreamBacklog;
  }
  bool Write(std::shared_ptr<const std::string> bytes) override {
    received_.pieces.push_back(bytes);
    return Write(std::string_view(*bytes));
  }
  size_t Backlog() const override { return received_.backlog; }
  void OnDrained(size_t, std::function<void()>) override {}
  void OnClosed(std::function<void()> closed) override { closed_ = std::move(closed); }

 private:
  Received& received_;
  std::function<void()> closed_;
};

class WatchTest : public testing::Test {
 protected:
  Received& Client() { return clients_.emplace_back(); }
  void Open(Received& received, std::string_view query) {
    api_.cluster.Settle();
    OpenAt(hub_, received, query);
    api_.cluster.Settle();
  }
  // Now, which is durable.
  void OpenAt(WatchHub& hub, Received& received, std::string_view query) {
    Answer answer =
        api_.Ask("GET", "/api/v1/namespaces/default/configmaps?watch=true&" + std::string(query));
    ASSERT_TRUE(std::holds_alternative<WatchRequest>(answer));
    auto& request = std::get<WatchRequest>(answer);
    const base::Status status = hub.Admit(request);
    ASSERT_TRUE(status.ok()) << status.ToString();
    hub.Add(std::move(request), std::make_unique<FakeStream>(received));
  }
  // ConfigMaps PREFIX0, PREFIX1, ..., each with the label, in one transaction.
  void PutMany(std::string_view prefix, size_t count, std::string_view label = "x") {
    std::string yaml;
    for (size_t i = 0; i < count; ++i) {
      yaml += "---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: " + std::string(prefix) +
              std::to_string(i) + ", labels: {app: " + std::string(label) + "}}}\n";
    }
    api_.cluster.Apply(yaml);
  }
  void Put(std::string_view name, std::string_view label) {
    api_.cluster.Apply("{apiVersion: v1, kind: ConfigMap, metadata: {name: " + std::string(name) +
                       ", labels: {app: " + std::string(label) + "}}}");
    api_.cluster.Settle();
  }
  void Delete(std::string_view name) {
    api_.cluster.Delete("configmaps", "default", name);
    api_.cluster.Settle();
  }
  std::string Now() { return std::to_string(api_.cluster.store().revision()); }

  std::deque<Received> clients_;
  TestApi api_;
  WatchHub hub_{api_.cluster.loop, api_.cluster.store(), WatchOptions()};
};

TEST_F(WatchTest, SelectorsTurnChangesIntoAddedAndDeleted) {
  Received& all = Client();
  Received& web = Client();
  const std::string from = "resourceVersion=" + Now();
  Open(all, from);
  Open(web, from + "&labelSelector=app%3Dweb");
  Put("a", "web");
  Put("a", "db");
  Put("a", "web");
  Delete("a");
  EXPECT_EQ(all.events, "ADDED a, MODIFIED a, MODIFIED a, DELETED a");
  EXPECT_EQ(web.events, "ADDED a, DELETED a, ADDED a, DELETED a");
}

TEST_F(WatchTest, AResumedWatchMissesNothingAndRepeatsNothing) {
  const std::string from = "resourceVersion=" + Now();
  Put("a", "x");
  Put("b", "x");
  Received& received = Client();
  Open(received, from);
  Put("c", "x");
  EXPECT_EQ(received.events, "ADDED a, ADDED b, ADDED c");
}

TEST_F(WatchTest, AStreamingListEndsWithABookmark) {
  Put("a", "x");
  Put("b", "x");
  Received& received = Client();
  Open(received,
       "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true");
  Delete("a");
  EXPECT_EQ(received.events, "ADDED a, ADDED b, BOOKMARK end, DELETED a");
}

TEST_F(WatchTest, AnObjectIsEncodedOnceAFormHoweverManyWatchIt) {
  const std::string from = "resourceVersion=" + Now() + "&allowWatchBookmarks=true";
  std::vector<Received*> clients;
  for (const char* accept : {"application/json", "application/vnd.kubernetes.protobuf"}) {
    api_.accept = accept;
    for (int i = 0; i < 3; ++i) {
      clients.push_back(&Client());
      Open(*clients.back(), from);
    }
  }
  Put("a", "x");
  Delete("a");
  api_.cluster.Settle(base::Duration::Minutes(1));
  for (const Received* client : clients) {
    EXPECT_EQ(client->events, "ADDED a, DELETED a, BOOKMARK ");
  }
  EXPECT_EQ(clients[0]->pieces, clients[2]->pieces);
  EXPECT_EQ(clients[3]->pieces, clients[5]->pieces);
  EXPECT_NE(clients[0]->pieces, clients[3]->pieces);
}

TEST_F(WatchTest, WithoutARevisionTheObjectsComeFirst) {
  Put("a", "x");
  Received& received = Client();
  Open(received, "");
  EXPECT_EQ(received.events, "ADDED a");
}

TEST_F(WatchTest, BookmarksComeEachMinuteIfAllowed) {
  Received& with = Client();
  Received& without = Client();
  const std::string from = "resourceVersion=" + Now();
  Open(with, from + "&allowWatchBookmarks=true");
  Open(without, from);
  api_.cluster.Settle(base::Duration::Minutes(2));
  EXPECT_EQ(with.events + "|" + without.events, "BOOKMARK , BOOKMARK |");
}

TEST_F(WatchTest, AWatchEndsAtItsTimeout) {
  Received& brief = Client();
  Received& lasting = Client();
  Open(brief, "timeoutSeconds=5");
  Open(lasting, "");
  api_.cluster.Settle(base::Duration::Minutes(29));
  EXPECT_EQ(std::to_string(brief.open) + std::to_string(lasting.open), "01");
  api_.cluster.Settle(base::Duration::Minutes(32));
  EXPECT_EQ(lasting.open, false);
  EXPECT_EQ(hub_.size(), 0u);
}

TEST_F(WatchTest, AClientThatReadsNothingIsCutOff) {
  Received& slow = Client();
  Received& quick = Client();
  const std::string from = "resourceVersion=" + Now();
  Open(slow, from);
  Open(quick, from);
  slow.slow = true;
  slow.backlog = base::kMaxStreamBacklog;
  Put("a", "x");
  EXPECT_EQ(slow.open, false);
  EXPECT_EQ(quick.events, "ADDED a");
}

TEST_F(WatchTest, ManyObjectsReachASlowReaderPiecewise) {
  api_.cluster.AddNamespace("other");
  std::string yaml;
  for (int i = 0; i < 1200; ++i) {
    yaml += "---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: m" + std::to_string(1000 + i) +
            "}}\n";
  }
  api_.cluster.Apply(yaml);
  Received& received = Client();
  received.backlog = base::kMaxStreamBacklog;  // it has not read what was there
  Open(received, "resourceVersion=0");
  EXPECT_EQ(received.events, "");
  received.backlog = 0;
  api_.cluster.Settle();
  EXPECT_EQ(std::count(received.events.begin(), received.events.end(), ','), 1199);
  Put("z", "x");
  EXPECT_TRUE(received.events.ends_with("ADDED m2199, ADDED z"));
}

TEST_F(WatchTest, ManyChangesAreToldPiecewise) {
  Received& one = Client();
  Received& two = Client();
  const std::string from = "resourceVersion=" + Now();
  Open(one, from);
  Open(two, from);
  constexpr size_t kChanges = 2000;
  PutMany("m", kChanges);
  api_.cluster.loop.set_pieces_a_turn(7);
  size_t most = 0, seen = 0;
  api_.cluster.loop.OnTurn([&] {
    const size_t events = one.pieces.size() + two.pieces.size();
    most = std::max(most, events - seen);
    seen = events;
  });
  api_.cluster.Settle();
  api_.cluster.loop.OnTurn(nullptr);
  EXPECT_EQ(one.pieces.size(), kChanges);
  EXPECT_EQ(two.pieces, one.pieces);
  EXPECT_GT(most, 0u);
  EXPECT_LE(most, 2 * 7u);
  Put("z", "x");
  EXPECT_TRUE(one.events.ends_with(", ADDED z"));
}

// Writers that are quicker than the telling do not make it grow.
TEST_F(WatchTest, WhatWaitsToBeToldIsBounded) {
  constexpr size_t kMaxUntold = 100, kMore = 30;
  WatchOptions options;
  options.max_untold = kMaxUntold;
  WatchHub hub(api_.cluster.loop, api_.cluster.store(), options);
  Received& received = Client();
  auto request = std::get<WatchRequest>(api_.Ask("GET",
                                                 "/api/v1/namespaces/default/configmaps?watch=true&"
                                                 "resourceVersion=" +
                                                     Now()));
  hub.Add(std::move(request), std::make_unique<FakeStream>(received));
  api_.cluster.Settle();
  PutMany("m", kMaxUntold + kMore);
  size_t first = 0;
  api_.cluster.loop.OnTurn([&] {
    if (first == 0) first = received.pieces.size();
  });
  api_.cluster.Settle();
  api_.cluster.loop.OnTurn(nullptr);
  EXPECT_EQ(first, kMore);
  EXPECT_EQ(received.pieces.size(), kMaxUntold + kMore);
}

// However many there are, other work that continues goes between two of their steps, and none of
// them is served before the others.
TEST_F(WatchTest, WatchesThatCatchUpTakeTurnsAsOneWork) {
  constexpr size_t kWatches = 20, kChanges = 100;
  const std::string from = "resourceVersion=" + Now();
  PutMany("m", kChanges);
  api_.cluster.Settle();
  api_.cluster.loop.set_pieces_a_turn(1);
  std::vector<Received*> clients;
  for (size_t i = 0; i < kWatches; ++i) OpenAt(hub_, *clients.emplace_back(&Client()), from);
  size_t seen = 0, most = 0, apart = 0;
  base::Piecework other(api_.cluster.loop, [&] {
    size_t events = 0, least = kChanges, furthest = 0;
    for (const Received* client : clients) {
      events += client->pieces.size();
      least = std::min(least, client->pieces.size());
      furthest = std::max(furthest, client->pieces.size());
    }
    most = std::max(most, events - std::exchange(seen, events));
    apart = std::max(apart, furthest - least);
    return seen < kWatches * kChanges;
  });
  other.Wake();
  api_.cluster.Settle();
  EXPECT_EQ(seen, kWatches * kChanges);
  EXPECT_EQ(most, 1u);
  EXPECT_EQ(apart, 1u);
}

// Bookmarks often, and turns that take time: they come in the middle of everything.
class BookmarkTest : public WatchTest {
 protected:
  BookmarkTest() {
    api_.cluster.loop.set_pieces_a_turn(1);
    api_.cluster.loop.set_turn_length(base::Duration::Millis(1));
  }
  Received& Begin(const std::string& query) {
    Received& received = Client();
    OpenAt(often_, received, "allowWatchBookmarks=true&labelSelector=app%3Dweb&" + query);
    return received;
  }
  // As many again are not for the clients.
  void PutSome(const std::string& prefix) {
    PutMany(prefix + "-web", kSome, "web");
    PutMany(prefix + "-db", kSome, "db");
  }
  // After `from`, and the `there` objects that were there then, each event is newer than all that
  // was said before, and a bookmark is not older.
  static void ExpectInOrder(const Received& received, Revision from, size_t there, size_t events) {
    Revision said = from;
    size_t seen = 0, bookmarks = 0, after_bookmarks = 0;
    for (const auto& [type, revision] : received.all) {
      if (type == "BOOKMARK") {
        EXPECT_GE(revision, said) << "a bookmark after " << seen << " events";
        ++bookmarks;
      } else if (++seen <= there) {
        EXPECT_LE(revision, from);
        continue;
      } else {
        EXPECT_GT(revision, said) << "event " << seen;
        if (bookmarks > 0) ++after_bookmarks;
      }
      said = revision;
    }
    EXPECT_EQ(seen, there + events);
    EXPECT_GT(after_bookmarks, 0u);
  }

  static constexpr size_t kSome = 40;
  WatchHub often_{
      api_.cluster.loop, api_.cluster.store(), {.bookmark_interval = base::Duration::Millis(3)}};
};

TEST_F(BookmarkTest, TheyPromiseWhatWasSentWhereverAWatchBegins) {
  PutSome("old");
  api_.cluster.Settle();
  const Revision past = api_.cluster.store().durable();
  PutSome("missed");
  api_.cluster.Settle();
  const Revision before = api_.cluster.store().durable();
  const Received& live = Begin("resourceVersion=" + Now());
  api_.cluster.Settle();
  PutSome("told");
  api_.cluster.Settle(base::Duration::Millis(20));
  // Live watches are on their way to what these begin at, or behind.
  ASSERT_GT(often_.untold(), kSome);
  const Revision now = api_.cluster.store().durable();
  ASSERT_EQ(now, api_.cluster.store().revision());
  const Received& ahead = Begin("resourceVersion=" + Now());
  const Received& plain = Begin("");
  const Received& streaming =
      Begin("sendInitialEvents=true&resourceVersionMatch=NotOlderThan&resourceVersion=" + Now());
  const Received& behind = Begin("resourceVersion=" + std::to_string(past));
  api_.cluster.Settle(base::Duration::Millis(20));
  ASSERT_GT(often_.untold(), 0u);
  PutSome("later");
  api_.cluster.Settle();
  PutSome("last");
  api_.cluster.Settle();
  ExpectInOrder(live, before, 0, 3 * kSome);
  ExpectInOrder(ahead, now, 0, 2 * kSome);
  ExpectInOrder(plain, now, 3 * kSome, 2 * kSome);
  ExpectInOrder(streaming, now, 3 * kSome, 2 * kSome);
  ExpectInOrder(behind, past, 0, 4 * kSome);
}

TEST_F(WatchTest, StreamingListsNeedTheirMatch) {
  EXPECT_EQ(api_.Outcome("GET", "/api/v1/pods?watch=true&sendInitialEvents=true"),
            "422 Invalid: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
}

}  // namespace
}  // namespace state

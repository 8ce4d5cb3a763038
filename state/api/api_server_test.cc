// ApiServer on virtual time, with replies that only remember what they were given.
#include "state/api/api_server.h"

#include <gtest/gtest.h>

#include "base/testing/sim_loop.h"
#include "state/testing/memory_storage.h"

namespace state {
namespace {

class FakeReply : public base::Reply {
 public:
  explicit FakeReply(std::optional<base::HttpResponse>& sent) : sent_(sent) {}
  void Send(base::HttpResponse response) override { sent_ = std::move(response); }
  std::unique_ptr<base::Stream> Start(base::HttpResponse) override { return nullptr; }
  std::unique_ptr<base::Duplex> Upgrade(base::HttpResponse) override { return nullptr; }
  void OnGone(std::function<void()>) override {}

 private:
  std::optional<base::HttpResponse>& sent_;
};

class ApiServerTest : public testing::Test {
 protected:
  ApiServerTest() {
    auto store = Store::Open(loop_, storage_, StoreOptions(), [](base::Status) {});
    CHECK(store.ok());
    store_ = *std::move(store);
    Start();
    Ask("POST", "/api/v1/namespaces", R"({"metadata":{"name":"shop"}})");
  }

  void Start() {
    ApiServerOptions options;
    options.max_reads_in_flight = 2;
    server_ = std::make_unique<ApiServer>(
        loop_, *store_, api_, config_,
        [](const base::IncomingRequest&) -> base::Result<base::Identity> {
          return base::Identity{"admin", {"plumb:admin"}};
        },
        [](const PodStream&) -> std::unique_ptr<base::Duplex> { return nullptr; }, options);
  }

  // The answer comes into `sent` sooner or later.
  void Begin(std::string_view method, std::string_view target, std::string_view body,
             std::optional<base::HttpResponse>& sent) {
    base::IncomingRequest incoming;
    incoming.request.method = method;
    incoming.request.body = body;
    CHECK(base::ParseTarget(target, incoming.request).ok());
    server_->Handle(std::move(incoming), std::make_unique<FakeReply>(sent));
  }
  base::HttpResponse Ask(std::string_view method, std::string_view target,
                         std::string_view body = {}) {
    std::optional<base::HttpResponse> sent;
    Begin(method, target, body, sent);
    loop_.RunUntil([&] { return sent.has_value(); }, base::Duration::Minutes(1));
    return sent.value_or(base::HttpResponse{504});
  }
  void MakeConfigMap(const std::string& name, size_t bytes) {
    const auto response = Ask("POST", "/api/v1/namespaces/shop/configmaps",
                              "{\"metadata\":{\"name\":\"" + name + "\"},\"data\":{\"a\":\"" +
                                  std::string(bytes, 'x') + "\"}}");
    ASSERT_EQ(response.status, 201) << response.body;
  }

  base::SimLoop loop_{1};
  MemoryStorage storage_;
  ClusterConfig config_;
  const Api api_{VersionInfo()};
  std::unique_ptr<Store> store_;
  std::unique_ptr<ApiServer> server_;
};

constexpr std::string_view kMaps = "/api/v1/namespaces/shop/configmaps";

TEST_F(ApiServerTest, AShortListIsAnsweredInItsTurn) {
  MakeConfigMap("one", 100);
  std::optional<base::HttpResponse> sent;
  Begin("GET", kMaps, "", sent);
  ASSERT_TRUE(sent);
  EXPECT_EQ(sent->status, 200);
}

TEST_F(ApiServerTest, WhileTheStorageWaitsReadsAreAnsweredAndWritesAreNotTaken) {
  MakeConfigMap("one", 100);
  storage_.Hold("the disk that holds /data is full");
  const base::HttpResponse refused = Ask("POST", kMaps, R"({"metadata":{"name":"two"}})");
  EXPECT_EQ(refused.status, 503);
  EXPECT_NE(refused.body.find("the disk that holds /data is full; try again later"),
            std::string::npos)
      << refused.body;
  EXPECT_EQ(refused.headers.front().first, "Retry-After");
  EXPECT_EQ(Ask("GET", std::string(kMaps) + "/one").status, 200);
  storage_.Hold("");
  EXPECT_EQ(Ask("POST", kMaps, R"({"metadata":{"name":"two"}})").status, 201);
}

// What is being written is nobody's business yet, and holds up no read.
TEST_F(ApiServerTest, ReadsSeeTheNewestDurableState) {
  MakeConfigMap("one", 100);
  std::optional<base::HttpResponse> made, read, again;
  Begin("POST", kMaps, R"({"metadata":{"name":"two"}})", made);
  Begin("GET", std::string(kMaps) + "/two", "", read);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->status, 404);
  EXPECT_FALSE(made);
  Begin("POST", kMaps, R"({"metadata":{"name":"two"}})", again);  // writes see it
  ASSERT_TRUE(again);
  EXPECT_EQ(again->status, 409);
  loop_.RunUntil([&] { return made.has_value(); }, base::Duration::Minutes(1));
  Begin("GET", std::string(kMaps) + "/two", "", read);
  EXPECT_EQ(read->status, 200);
}

// Asked for revision 0, a watch begins with what is there: no list may answer it.
TEST_F(ApiServerTest, TheFirstStateIsWaitedFor) {
  server_.reset();
  MemoryStorage storage;
  auto store = Store::Open(loop_, storage, StoreOptions(), [](base::Status) {});
  ASSERT_TRUE(store.ok());
  store_ = *std::move(store);
  Start();
  std::optional<base::HttpResponse> made, listed;
  Begin("POST", "/api/v1/namespaces", R"({"metadata":{"name":"shop"}})", made);
  Begin("GET", "/api/v1/namespaces", "", listed);
  EXPECT_FALSE(listed);
  loop_.RunUntil([&] { return listed.has_value(); }, base::Duration::Minutes(1));
  ASSERT_TRUE(listed);
  EXPECT_NE(listed->body.find("\"resourceVersion\":\"1\""), std::string::npos) << listed->body;
  server_.reset();
  store_.reset();  // before its storage
}

TEST_F(ApiServerTest, ALongListIsMadeElsewhereOfTheViewThatItWasAskedOf) {
  MakeConfigMap("one", Api::kMaxShortBytes);
  const std::string revision = std::to_string(store_->revision());
  std::optional<base::HttpResponse> sent;
  Begin("GET", kMaps, "", sent);
  EXPECT_FALSE(sent);
  MakeConfigMap("two", 1);
  loop_.RunFor(base::Duration::Seconds(1));
  ASSERT_TRUE(sent);
  const auto parsed = base::ParseJson(sent->body);
  ASSERT_TRUE(parsed.ok());
  const base::Json& list = *parsed;
  EXPECT_EQ(list["metadata"]["resourceVersion"].AsString(), revision);
  EXPECT_EQ(list["items"].size(), 1u);
}

TEST_F(ApiServerTest, LongAnswersOfOtherKindsAreMadeElsewhere) {
  MakeConfigMap("small", 100);
  MakeConfigMap("large", Api::kMaxShortBytes);
  loop_.set_offload_delay(base::Duration::Seconds(1));
  const auto answered_at_once = [&](const std::string& target) {
    std::optional<base::HttpResponse> sent;
    Begin("GET", target, "", sent);
    loop_.RunReady();
    const bool at_once = sent.has_value();
    loop_.RunFor(base::Duration::Seconds(2));
    EXPECT_TRUE(sent && sent->status == 200) << target;
    return at_once;
  };
  EXPECT_TRUE(answered_at_once(std::string(kMaps) + "/small"));
  EXPECT_FALSE(answered_at_once(std::string(kMaps) + "/large"));
  EXPECT_TRUE(answered_at_once("/readyz"));
  EXPECT_TRUE(answered_at_once("/version"));
  for (const char* target : {"/api", "/apis", "/apis/apps", "/apis/apps/v1", "/openapi/v3"})
    EXPECT_FALSE(answered_at_once(target)) << target;
}

TEST_F(ApiServerTest, PagesOfALongListAreOfOneView) {
  MakeConfigMap("one", Api::kMaxShortBytes);
  MakeConfigMap("three", 1);
  const base::HttpResponse first = Ask("GET", std::string(kMaps) + "?limit=1");
  const auto page = base::ParseJson(first.body);
  ASSERT_TRUE(page.ok());
  const std::string token(std::as_const(*page)["metadata"]["continue"].AsString());
  MakeConfigMap("two", 1);
  const base::HttpResponse rest =
      Ask("GET", std::string(kMaps) + "?limit=5&continue=" + base::PercentEncode(token));
  EXPECT_EQ(rest.status, 200);
  EXPECT_EQ(rest.body.find("\"two\""), std::string::npos);
}

TEST_F(ApiServerTest, ListsUnderWayCountAsInFlight) {
  MakeConfigMap("one", Api::kMaxShortBytes);
  std::optional<base::HttpResponse> first, second, third;
  Begin("GET", kMaps, "", first);
  Begin("GET", kMaps, "", second);
  Begin("GET", kMaps, "", third);
  ASSERT_TRUE(third);
  EXPECT_EQ(third->status, 429);
  loop_.RunFor(base::Duration::Seconds(1));
  EXPECT_EQ(first->status, 200);
  EXPECT_EQ(second->status, 200);
  EXPECT_EQ(Ask("GET", kMaps).status, 200);
}

TEST_F(ApiServerTest, ALargeCollectionIsDeletedElsewhereAndAsItIsByThen) {
  MakeConfigMap("one", Api::kMaxShortBytes);
  MakeConfigMap("two", 100);
  std::optional<base::HttpResponse> sent, changed;
  Begin("DELETE", kMaps, "", sent);
  Begin("PUT", std::string(kMaps) + "/two", R"({"metadata":{"name":"two","finalizers":["a.b/c"]}})",
        changed);  // overtakes it
  ASSERT_TRUE(loop_.RunUntil([&] { return sent.has_value(); }, base::Duration::Minutes(1)));
  EXPECT_EQ(sent->status, 200);
  EXPECT_EQ(Ask("GET", std::string(kMaps) + "/one").status, 404);
  const base::HttpResponse two = Ask("GET", std::string(kMaps) + "/two");
  EXPECT_NE(two.body.find("deletionTimestamp"), std::string::npos) << two.body;
}

TEST_F(ApiServerTest, WhatIsAlwaysOvertakenIsDeletedInATurnOfItsOwn) {
  MakeConfigMap("one", Api::kMaxShortBytes);
  MakeConfigMap("two", 100);
  std::optional<base::HttpResponse> sent, changed;
  Begin("DELETE", kMaps, "", sent);
  int changes = 0;
  while (!sent && changes < 1000) {
    const std::string body =
        R"({"metadata":{"name":"two"},"data":{"n":")" + std::to_string(++changes) + "\"}}";
    Begin("PUT", std::string(kMaps) + "/two", body, changed);
    loop_.RunFor(base::Duration::Millis(1));
  }
  ASSERT_TRUE(sent);
  EXPECT_EQ(sent->status, 200);
  EXPECT_EQ(Ask("GET", kMaps).body.find("\"name\":\"two\""), std::string::npos);
}

TEST_F(ApiServerTest, AListMayOutlastTheServer) {
  MakeConfigMap("one", Api::kMaxShortBytes);
  std::optional<base::HttpResponse> sent;
  Begin("GET", kMaps, "", sent);
  server_.reset();
  loop_.RunFor(base::Duration::Seconds(1));
  EXPECT_FALSE(sent);
}

}  // namespace
}  // namespace state

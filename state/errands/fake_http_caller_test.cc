#include "state/errands/testing/fake_http_caller.h"

#include <gtest/gtest.h>

#include <vector>

#include "state/errands/testing/http_caller_contract.h"

namespace state {
namespace {

// Says one thing, or nothing.
class PlainServer final : public FakeHttpServer {
 public:
  PlainServer(std::optional<HttpAnswer> answer, HttpCall& taken)
      : answer_(std::move(answer)), taken_(taken) {}
  std::optional<HttpAnswer> Take(const HttpCall& call) override {
    taken_ = call;
    return answer_;
  }

 private:
  const std::optional<HttpAnswer> answer_;
  HttpCall& taken_;
};

class FakeWorld final : public HttpCallerWorld {
 public:
  base::LoopRunner& runner() override { return runner_; }
  HttpCaller& caller() override { return *caller_; }
  void EndCaller() override { caller_.reset(); }
  std::string Answers(const HttpAnswer& answer) override { return Open(answer); }
  std::string IsSilent() override { return Open(std::nullopt); }
  std::string Refuses() override { return "https://nobody.example/"; }
  HttpCall Taken() override {
    for (auto& [name, value] : taken_.headers) {
      for (char& c : name) c = static_cast<char>(tolower(c));
    }
    return taken_;
  }

 private:
  std::string Open(std::optional<HttpAnswer> answer) {
    owned_.push_back(std::make_unique<PlainServer>(std::move(answer), taken_));
    const std::string origin = "https://" + std::to_string(owned_.size()) + ".example";
    servers_[origin] = owned_.back().get();
    return origin + "/hook";
  }

  base::SimRunner runner_;
  FakeHttpServers servers_;
  std::vector<std::unique_ptr<FakeHttpServer>> owned_;
  HttpCall taken_;
  std::unique_ptr<HttpCaller> caller_ = std::make_unique<FakeHttpCaller>(runner_.loop(), servers_);
};

std::unique_ptr<HttpCallerWorld> MakeFake() { return std::make_unique<FakeWorld>(); }

INSTANTIATE_TEST_SUITE_P(HttpCallers, HttpCallerContract,
                         testing::Values(HttpCallerUnderTest{"Fake", &MakeFake}), HttpCallerName);

TEST(HttpCallerTest, AnOriginIsWhatConnectionsGoTo) {
  EXPECT_EQ(OriginOf("https://h:1/a?b"), "https://h:1");
  EXPECT_EQ(OriginOf("http://[::1]?b"), "http://[::1]");
  EXPECT_EQ(OriginOf("https://h"), "https://h");
  for (const char* none : {"", "https://", "https:///a", "ftp://h", "h"}) {
    EXPECT_EQ(OriginOf(none), "") << none;
  }
}

}  // namespace
}  // namespace state

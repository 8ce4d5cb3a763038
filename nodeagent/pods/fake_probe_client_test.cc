#include "nodeagent/testing/fake_probe_client.h"

#include <gtest/gtest.h>

#include "nodeagent/testing/probe_client_contract.h"

namespace nodeagent {
namespace {

class FakeProbeWorld final : public ProbeClientWorld {
 public:
  base::LoopRunner& runner() override { return runner_; }
  ProbeClient& client() override { return client_; }
  Check Answers(int http_status) override {
    const Check check = At(Check::Kind::kHttp, "/" + std::to_string(http_status));
    const bool good = http_status >= 200 && http_status < 400;
    client_.Answer(check.path, good ? base::Status()
                                    : base::Status(base::Code::kInternal,
                                                   "HTTP status " + std::to_string(http_status)));
    return check;
  }
  Check Accepts() override { return At(Check::Kind::kTcp, ""); }
  Check Refuses(Check::Kind kind) override {
    const Check check = At(kind, kind == Check::Kind::kTcp ? "" : "/refused");
    client_.Answer(check.path, base::Status(base::Code::kUnavailable, "cannot connect"));
    return check;
  }
  Check IsSilent() override {
    client_.Silence("/silent");
    return At(Check::Kind::kHttp, "/silent");
  }

 private:
  static Check At(Check::Kind kind, const std::string& path) {
    Check check;
    check.kind = kind;
    check.path = path;
    return check;
  }

  base::SimRunner runner_;
  FakeProbeClient client_{runner_.loop()};
};

std::unique_ptr<ProbeClientWorld> MakeFake() { return std::make_unique<FakeProbeWorld>(); }

INSTANTIATE_TEST_SUITE_P(ProbeClients, ProbeClientContract,
                         testing::Values(ProbeClientUnderTest{"Fake", &MakeFake}), ProbeClientName);

}  // namespace
}  // namespace nodeagent

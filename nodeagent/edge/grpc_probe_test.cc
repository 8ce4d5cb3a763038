#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <health.grpc.pb.h>

#include <map>
#include <string>

#include "base/edge/real_loop.h"
#include "nodeagent/edge/probe_client.h"

namespace nodeagent {
namespace {

namespace health = grpc::health::v1;

class HealthService final : public health::Health::Service {
 public:
  grpc::Status Check(grpc::ServerContext*, const health::HealthCheckRequest* request,
                     health::HealthCheckResponse* response) override {
    if (request->service() == "other") return grpc::Status(grpc::StatusCode::NOT_FOUND, "");
    response->set_status(request->service() == "ill" ? health::HealthCheckResponse::NOT_SERVING
                                                     : health::HealthCheckResponse::SERVING);
    return {};
  }
};

class GrpcProbeTest : public testing::Test {
 protected:
  // A server on a port of loopback, with the health service or without.
  void Serve(bool with_health) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    if (with_health) {
      builder.RegisterService(&service_);
    } else {
      builder.RegisterCallbackGenericService(&no_service_);
    }
    server_ = builder.BuildAndStart();
    ASSERT_NE(server_, nullptr);
  }
  std::string Ask(const std::string& service) {
    base::RealLoop loop;
    const auto client = NewProbeClient(loop);
    nodeagent::Check check;
    check.kind = nodeagent::Check::Kind::kGrpc;
    check.host = "127.0.0.1";
    check.port = static_cast<uint16_t>(port_);
    check.service = service;
    std::string said;
    client->Ask(check, base::Duration::Seconds(20), [&](const CheckAnswer& answer) {
      said = answer.status.ToString();
      loop.Stop();
    });
    loop.Run();
    return said;
  }

  HealthService service_;
  grpc::CallbackGenericService no_service_;  // every method is unimplemented
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

TEST_F(GrpcProbeTest, TheHealthServiceDecides) {
  Serve(true);
  EXPECT_EQ(Ask(""), "OK");
  EXPECT_EQ(Ask("ill"), "InternalError: service \"ill\" says NOT_SERVING");
  EXPECT_EQ(Ask("other"), "InternalError: service \"other\" is not known to the health service");
}

TEST_F(GrpcProbeTest, AServerThatListensIsNotEnough) {
  Serve(false);
  EXPECT_EQ(Ask(""),
            "InternalError: the server does not serve grpc.health.v1; add its health service");
}

TEST_F(GrpcProbeTest, WhereNobodyListensItIsUnavailable) {
  Serve(true);
  server_->Shutdown();
  server_.reset();
  EXPECT_EQ(Ask("").substr(0, 19), "ServiceUnavailable:");
}

// Destroying the client ends it: nobody is told, and nothing hangs.
TEST_F(GrpcProbeTest, AQuestionUnderWayEndsWithItsClient) {
  base::RealLoop loop;
  nodeagent::Check check;
  check.kind = nodeagent::Check::Kind::kGrpc;
  check.host = "127.0.0.1";
  Serve(true);
  check.port = static_cast<uint16_t>(port_);
  bool told = false;
  NewProbeClient(loop)->Ask(check, base::Duration::Minutes(10),
                            [&told](const CheckAnswer&) { told = true; });
  loop.Post([&loop] { loop.Stop(); });
  loop.Run();
  EXPECT_FALSE(told);
}

}  // namespace
}  // namespace nodeagent

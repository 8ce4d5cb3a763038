#include "nodeagent/pods/pull_status.h"

#include <gtest/gtest.h>

namespace nodeagent {
namespace {

std::string Told(const std::string& message) {
  return PullStatus("web:1", base::Code::kInternal, message).ToString();
}

TEST(PullStatusTest, MessageTellsWhatTheCodeDoesNot) {
  const std::string prefix = "failed to pull and unpack image \"web:1\": failed to resolve: ";
  EXPECT_EQ(Told("web:1: not found"),
            "NotFound: image \"web:1\": there is no such image; check its name and tag: web:1: not "
            "found");
  EXPECT_EQ(Told(prefix + "unexpected status: 401 Unauthorized"),
            "Forbidden: image \"web:1\": the registry refuses; check the imagePullSecrets: " +
                prefix + "unexpected status: 401 Unauthorized");
  EXPECT_EQ(Told("dial tcp: i/o timeout"),
            "Timeout: image \"web:1\": the registry did not answer in time: dial tcp: i/o timeout");
  EXPECT_EQ(
      Told("dial tcp: connect: connection refused"),
      "ServiceUnavailable: image \"web:1\": the registry cannot be reached: dial tcp: connect: "
      "connection refused");
  EXPECT_EQ(Told("invalid reference format"),
            "Invalid: image \"web:1\": this is no image reference: invalid reference format");
  EXPECT_EQ(Told("disk full"), "InternalError: image \"web:1\": the pull failed: disk full");
}

TEST(PullStatusTest, RegistryThatDeniesIsNotTakenForOneWithoutTheImage) {
  EXPECT_EQ(PullStatus("a", base::Code::kNotFound, "a: not found, 403 Forbidden").code(),
            base::Code::kForbidden);
}

}  // namespace
}  // namespace nodeagent

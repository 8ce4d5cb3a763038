#include "base/status.h"

#include <gtest/gtest.h>

namespace base {
namespace {

const std::vector<Code> kAll = {
    Code::kOk,       Code::kBadRequest,       Code::kUnauthorized,  Code::kForbidden,
    Code::kNotFound, Code::kMethodNotAllowed, Code::kNotAcceptable, Code::kAlreadyExists,
    Code::kConflict, Code::kExpired,          Code::kTooLarge,      Code::kUnsupportedMediaType,
    Code::kInvalid,  Code::kTooManyRequests,  Code::kInternal,      Code::kUnavailable,
    Code::kTimeout,  Code::kCorruption,       Code::kCancelled};

TEST(StatusTest, EachCodeHasItsHttpStatusReasonAndExitCode) {
  std::string table;
  for (const Code code : kAll) {
    const CodeInfo& info = InfoOf(code);
    table += std::to_string(info.http_status) + " " + std::string(info.reason) + " " +
             std::to_string(info.exit_code) + "\n";
  }
  EXPECT_EQ(
      table,
      "200  0\n400 BadRequest 2\n401 Unauthorized 5\n403 Forbidden 5\n404 NotFound 4\n"
      "405 MethodNotAllowed 2\n406 NotAcceptable 2\n409 AlreadyExists 1\n409 Conflict 1\n"
      "410 Expired 1\n413 RequestEntityTooLarge 2\n415 UnsupportedMediaType 2\n422 Invalid 2\n"
      "429 TooManyRequests 6\n500 InternalError 1\n503 ServiceUnavailable 6\n504 Timeout 3\n"
      "500 InternalError 1\n499  1\n");
}

TEST(StatusTest, DefaultIsOk) {
  const Status status;
  EXPECT_TRUE(status.ok());
  EXPECT_EQ(status.code(), Code::kOk);
  EXPECT_EQ(status.message(), "");
  EXPECT_EQ(status.ToString(), "OK");
  EXPECT_TRUE(status.causes().empty());
}

TEST(StatusTest, ContextStandsBeforeTheMessageAndKeepsTheRest) {
  const Status status(Code::kNotFound, "no pod", {Cause{"r", "m", "f"}});
  const Status wrapped = status.WithContext("web").WithContext("default");
  EXPECT_EQ(wrapped.ToString(), "NotFound: default: web: no pod");
  ASSERT_EQ(wrapped.causes().size(), 1u);
  EXPECT_EQ(wrapped.causes()[0].field, "f");
  EXPECT_EQ(status.message(), "no pod");
  EXPECT_TRUE(Status().WithContext("x").ok());
}

TEST(StatusTest, CodesWithoutAKubernetesReasonStillPrintAName) {
  EXPECT_EQ(Status(Code::kCorruption, "bad").ToString(), "Corruption: bad");
  EXPECT_EQ(Status(Code::kCancelled, "late").ToString(), "Cancelled: late");
}

TEST(StatusDeathTest, AnErrorStatusCannotBeOk) {
  EXPECT_DEATH({ const Status status(Code::kOk, "fine"); }, "code != Code::kOk");
}

Result<int> Half(int value) {
  if (value % 2 != 0) return Status(Code::kInvalid, "odd");
  return value / 2;
}

Result<int> Quarter(int value) {
  ASSIGN_OR_RETURN(const int half, Half(value));
  ASSIGN_OR_RETURN(const int quarter, Half(half));
  return quarter;
}

Status Check(int value) {
  RETURN_IF_ERROR(Half(value).status());
  return Status();
}

TEST(StatusTest, MacrosPassErrorsOn) {
  EXPECT_EQ(*Quarter(8), 2);
  EXPECT_EQ(Quarter(6).status().ToString(), "Invalid: odd");
  EXPECT_EQ(Quarter(7).status().ToString(), "Invalid: odd");
  EXPECT_TRUE(Check(2).ok());
  EXPECT_EQ(Check(3).ToString(), "Invalid: odd");
}

TEST(StatusTest, AResultMovesItsValueOut) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(5);
  ASSERT_TRUE(result.ok());
  EXPECT_TRUE(result.status().ok());
  const std::unique_ptr<int> taken = *std::move(result);
  EXPECT_EQ(*taken, 5);
}

}  // namespace
}  // namespace base

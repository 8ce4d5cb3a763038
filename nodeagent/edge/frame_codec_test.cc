#include "nodeagent/edge/frame_codec.h"

#include <gtest/gtest.h>

namespace nodeagent {
namespace {

namespace wire = plumb::agent::v1;

// Every code there is.
std::vector<base::Code> Codes() {
  std::vector<base::Code> codes;
  for (int i = static_cast<int>(base::Code::kBadRequest);
       i <= static_cast<int>(base::Code::kCancelled); ++i) {
    codes.push_back(static_cast<base::Code>(i));
  }
  return codes;
}

StreamChunk EndWith(const base::Status& status) { return {7, "", true, status}; }

base::Status StatusOnTheWire(const std::string& code) {
  wire::Frame frame;
  frame.mutable_stream_chunk()->set_code(code);
  frame.mutable_stream_chunk()->set_message("why");
  const base::Result<std::optional<Frame>> decoded = DecodeFrame(frame);
  EXPECT_TRUE(decoded.ok() && *decoded);
  return std::get<StreamChunk>(**decoded).status;
}

TEST(FrameCodecTest, ACodeTravelsByItsName) {
  EXPECT_EQ(EncodeFrame(EndWith({base::Code::kNotFound, "no log"})).stream_chunk().code(),
            "NotFound");
  EXPECT_EQ(EncodeFrame(EndWith({})).stream_chunk().code(), "");
}

TEST(FrameCodecTest, EveryCodeArrivesAsItWasSent) {
  for (const base::Code code : Codes()) {
    const base::Result<std::optional<Frame>> arrived =
        DecodeFrame(EncodeFrame(EndWith({code, "why"})));
    ASSERT_TRUE(arrived.ok() && *arrived);
    EXPECT_EQ(std::get<StreamChunk>(**arrived).status.ToString(),
              base::Status(code, "why").ToString());
  }
}

// The numbers are those of the release that sent them, whatever base::Code looks like today.
TEST(FrameCodecTest, TheNumbersOfOlderAgentsMeanWhatTheyMeant) {
  std::string meant;
  for (int number = 1; number <= 19; ++number) {
    meant += std::to_string(number) + " " +
             std::string(base::ReasonOf(StatusOnTheWire(std::to_string(number)).code())) + "\n";
  }
  EXPECT_EQ(meant,
            "1 BadRequest\n2 Unauthorized\n3 Forbidden\n4 NotFound\n5 MethodNotAllowed\n"
            "6 NotAcceptable\n7 AlreadyExists\n8 Conflict\n9 Expired\n10 RequestEntityTooLarge\n"
            "11 UnsupportedMediaType\n12 Invalid\n13 TooManyRequests\n14 InternalError\n"
            "15 ServiceUnavailable\n16 Timeout\n17 Corruption\n18 Cancelled\n19 InternalError\n");
}

TEST(FrameCodecTest, AnUnknownCodeIsAnInternalFailure) {
  EXPECT_EQ(StatusOnTheWire("OfTomorrow").ToString(), "InternalError: why");
  EXPECT_EQ(StatusOnTheWire("0").ToString(), "InternalError: why");
  EXPECT_EQ(StatusOnTheWire("04").ToString(), "InternalError: why");
}

}  // namespace
}  // namespace nodeagent

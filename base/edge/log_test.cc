#include "base/edge/log.h"

#include <gtest/gtest.h>

#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "base/json.h"

namespace base {
namespace {

TEST(LogTest, WordsStayBareAndTheRestIsQuoted) {
  EXPECT_EQ(FormatLogLine(LogLevel::kInfo, "pod bound",
                          {{"pod", "default/web-1"}, {"why", "a=b"}, {"none", ""}}, false),
            "level=info msg=\"pod bound\" pod=default/web-1 why=\"a=b\" none=\"\"");
}

TEST(LogTest, NewlineInAValueDoesNotForgeALine) {
  EXPECT_EQ(FormatLogLine(LogLevel::kWarning, "m", {{"v", "x\nlevel=error \"q\""}}, false),
            "level=warning msg=m v=\"x\\nlevel=error \\\"q\\\"\"");
}

TEST(LogTest, JsonLineParsesAlsoWithBytesThatAreNotUtf8) {
  const std::string line =
      "{" + FormatLogLine(LogLevel::kError, "say \"hi\"", {{"v", "a\xff\tb"}}, true) + "}";
  const Result<Json> json = ParseJson(line);
  ASSERT_TRUE(json.ok()) << json.status().ToString();
  EXPECT_EQ((*json)["level"].AsString(), "error");
  EXPECT_EQ((*json)["msg"].AsString(), "say \"hi\"");
  EXPECT_EQ((*json)["v"].AsString(), "a\xEF\xBF\xBD\tb");
}

TEST(LogTest, LongValueIsCut) {
  const std::string line =
      FormatLogLine(LogLevel::kInfo, "m", {{"v", std::string(1 << 20, 'x')}}, false);
  EXPECT_EQ(line, "level=info msg=m v=" + std::string(kMaxLogValueBytes, 'x') + "...");
}

TEST(LogTest, LinesCarryTheTimeInUtcAndLevelsBelowTheLeastAreDropped) {
  testing::internal::CaptureStderr();
  InitLogging(LogLevel::kInfo, false);
  LogDebug("hidden");
  LogInfo("shown", {{"n", "1"}});
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_TRUE(
      std::regex_match(text, std::regex("time=\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z "
                                        "level=info msg=shown n=1\n")))
      << text;
  SetLogSink(nullptr);
}

TEST(LogTest, LinesOfManyThreadsDoNotMix) {
  constexpr int kThreads = 4;
  constexpr int kLines = 200;
  testing::internal::CaptureStderr();
  InitLogging(LogLevel::kInfo, true);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([t] {
      for (int i = 0; i < kLines; ++i) {
        LogInfo("line", {{"id", std::to_string(t) + "-" + std::to_string(i)}});
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::istringstream lines(testing::internal::GetCapturedStderr());
  SetLogSink(nullptr);
  std::set<std::string> ids;
  std::string line;
  while (std::getline(lines, line)) {
    const Result<Json> json = ParseJson(line);
    ASSERT_TRUE(json.ok()) << line;
    ids.insert(std::string((*json)["id"].AsString()));
  }
  EXPECT_EQ(ids.size(), size_t{kThreads * kLines});
}

}  // namespace
}  // namespace base

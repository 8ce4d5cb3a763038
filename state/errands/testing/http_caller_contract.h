// What every HttpCaller promises, as a test suite. An implementation passes it by one line in its
// test:
//   INSTANTIATE_TEST_SUITE_P(HttpCallers, HttpCallerContract,
//                            testing::Values(HttpCallerUnderTest{"Fake", &MakeFake}),
//                            HttpCallerName);
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "base/testing/loop_runner.h"
#include "state/errands/http_caller.h"

namespace state {

// Owns a caller, the loop that it answers on, and a server that can be called.
class HttpCallerWorld {
 public:
  virtual ~HttpCallerWorld() = default;
  virtual base::LoopRunner& runner() = 0;
  virtual HttpCaller& caller() = 0;
  virtual void EndCaller() = 0;  // on the loop

  // URLs. One of a server that gives `answer` to all who ask:
  virtual std::string Answers(const HttpAnswer& answer) = 0;
  virtual std::string IsSilent() = 0;  // it takes calls, and says nothing
  virtual std::string Refuses() = 0;   // nobody is there
  // What the servers took last: method, the headers that begin with "x-" in lower case, body. Their
  // address is the caller's affair.
  virtual HttpCall Taken() = 0;
};

struct HttpCallerUnderTest {
  std::string name;
  std::unique_ptr<HttpCallerWorld> (*make)();
};

void PrintTo(const HttpCallerUnderTest& caller, std::ostream* out);

// Names the cases; being defined beside the suite, it also makes the linker bring the suite in.
std::string HttpCallerName(const testing::TestParamInfo<HttpCallerUnderTest>& info);

class HttpCallerContract : public testing::TestWithParam<HttpCallerUnderTest> {
 protected:
  HttpAnswer Call(HttpCall call);
  HttpAnswer Post(const std::string& url) { return Call({.url = url, .body = "{}"}); }

  const std::unique_ptr<HttpCallerWorld> world_ = GetParam().make();
};

}  // namespace state

// KubectlTest: a real `plumb server` on loopback, without nodes, and the real kubectl and helm with
// the kubeconfig that the server wrote. One server serves all tests of a program; each test has a
// namespace of its own.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace plumb {

class KubectlTest : public testing::Test {
 protected:
  static void SetUpTestSuite();
  static void TearDownTestSuite();
  void SetUp() override;
  void TearDown() override;

  // "kubectl -n NAMESPACE ARGS", the arguments separated by spaces: its output, then its errors; a
  // nonzero exit first, as "exit 1: ".
  std::string Kubectl(const std::string& arguments, std::string_view input = {});
  // kubectl apply must succeed.
  void Apply(std::string_view yaml);
  // Makes the pods that match run and be ready, as an agent would say of them. Waits until there
  // are `count` that a ReplicaSet has made.
  void MakeReady(const std::string& selector, size_t count);

  // The same of helm; one sentence if there is none.
  std::string Helm(const std::string& arguments);

  const std::string& ns() const { return ns_; }
  // A directory of this test's own.
  std::string directory() const;

 private:
  std::string ns_;
};

// The first line, with "|" for each run of two or more spaces.
std::string Header(const std::string& table);
// The words of a text, sorted and joined by one space.
std::string SortedWords(const std::string& text);

}  // namespace plumb

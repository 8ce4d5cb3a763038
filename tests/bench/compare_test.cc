#include "tests/bench/compare.h"

#include <gtest/gtest.h>

#include "tests/bench/figure.h"

namespace bench {
namespace {

std::string Rest(int clients, double value) {
  return FormatFigure({"rest.lists",
                       {{"clients", clients}, {"bytes", value * 3}},
                       value,
                       "lists/s",
                       "",
                       std::nullopt,
                       NoAim()}) +
         "\n";
}
std::string Push(double value, const std::string& peer = "") {
  return FormatFigure({"watch.push", {}, value, "ms", peer, std::nullopt, NoAim()}) + "\n";
}

std::string Compare(const std::string& before, const std::string& now,
                    const std::vector<std::string_view>& names = {}) {
  const auto earlier = ReadRows(before), newer = ReadRows(now);
  if (!earlier.ok() || !newer.ok()) return "unreadable";
  return CompareRows(*earlier, *newer, names);
}

TEST(CompareTest, EachRowStandsBesideTheEarlierOneOfItsParameters) {
  EXPECT_EQ(Compare(Rest(1, 100) + Rest(4, 200), Rest(4, 220) + Rest(1, 95)),
            "rest.lists  clients=4  before 200  now 220 lists/s  ratio 1.1\n"
            "rest.lists  clients=1  before 100  now 95 lists/s  ratio 0.95\n");
}

TEST(CompareTest, FewerASecondAndMoreOfAllElseIsWorse) {
  EXPECT_EQ(Compare(Rest(1, 100) + Push(10), Rest(1, 90) + Push(12)),
            "rest.lists  clients=1  before 100  now 90 lists/s  ratio 0.9  "
            "worse by more than a tenth\n"
            "watch.push  before 10  now 12 ms  ratio 1.2  worse by more than a tenth\n");
  EXPECT_EQ(Compare(Push(10), Push(10.9)), "watch.push  before 10  now 10.9 ms  ratio 1.09\n");
}

TEST(CompareTest, ARowThatIsOnlyThereOnceIsSaid) {
  EXPECT_EQ(Compare(Push(10), Push(10, "etcd")),
            "watch.push  (beside etcd)  before none  now 10 ms  (new)\n"
            "watch.push  before 10  now none ms  (missing)\n");
}

TEST(CompareTest, WhatWasNotMeasuredAgainIsNotMissing) {
  EXPECT_EQ(Compare(Rest(1, 100) + Push(10), Rest(1, 100), {"rest"}),
            "rest.lists  clients=1  before 100  now 100 lists/s  ratio 1\n");
}

TEST(CompareTest, WhatIsNoFigureIsNamed) {
  const auto rows = ReadRows(Push(1) + "bench: something went wrong\n");
  EXPECT_EQ(rows.status().message(), "line 2 is no figure of ci/bench");
}

}  // namespace
}  // namespace bench

#include "base/piecework.h"

#include <gtest/gtest.h>

#include <string>

#include "base/testing/sim_loop.h"

namespace base {
namespace {

// How many pieces of `count` each turn did.
std::string Turns(SimLoop& loop, int count) {
  int left = count, done = 0;
  std::string turns;
  loop.OnTurn([&] {
    turns += (turns.empty() ? "" : " ") + std::to_string(done);
    done = 0;
  });
  Piecework work(loop, [&] { return ++done, --left > 0; });
  work.Wake();
  loop.RunReady();
  loop.OnTurn(nullptr);
  return turns;
}

TEST(PieceworkTest, ATurnEndsWithThePieceInWhichItIsOver) {
  SimLoop loop(1);
  loop.set_pieces_a_turn(1);
  EXPECT_EQ(Turns(loop, 4), "1 1 1 1");
}

TEST(PieceworkTest, APieceThatLeavesNothingIsTheLast) {
  SimLoop loop(1);
  loop.set_pieces_a_turn(1'000'000);
  EXPECT_EQ(Turns(loop, 1), "1");
}

TEST(PieceworkTest, WhatIsPostedMeanwhileRunsBetweenTwoTurns) {
  SimLoop loop(1);
  loop.set_pieces_a_turn(1);
  std::string said;
  int left = 3;
  Piecework work(loop, [&] {
    said += "piece ";
    loop.Post([&] { said += "post "; });
    return --left > 0;
  });
  work.Wake();
  loop.RunReady();
  EXPECT_EQ(said, "piece post piece post piece post ");
}

TEST(PieceworkTest, WokenOftenItRunsOnce) {
  SimLoop loop(1);
  int pieces = 0;
  Piecework work(loop, [&] { return ++pieces, false; });
  work.Wake();
  work.Wake();
  loop.RunReady();
  EXPECT_EQ(pieces, 1);
  work.Wake();
  loop.RunReady();
  EXPECT_EQ(pieces, 2);
}

TEST(PieceworkTest, OnceItIsGoneNothingRuns) {
  SimLoop loop(1);
  int pieces = 0;
  {
    Piecework work(loop, [&] { return ++pieces, true; });
    work.Wake();
  }
  loop.RunReady();
  EXPECT_EQ(pieces, 0);
}

}  // namespace
}  // namespace base

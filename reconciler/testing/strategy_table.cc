#include "reconciler/testing/strategy_table.h"

#include <gtest/gtest.h>

#include <sstream>

#include "base/document.h"

namespace reconciler {
namespace {

RolloutLimits ParseLimits(std::string_view text) {
  std::istringstream in{std::string(text)};
  RolloutLimits limits;
  char plus = 0, minus = 0;
  in >> limits.replicas >> plus >> limits.max_surge >> minus >> limits.max_unavailable;
  EXPECT_TRUE(in && plus == '+' && minus == '-') << text;
  return limits;
}

std::vector<std::string> Words(std::string_view text) {
  std::istringstream in{std::string(text)};
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

SetSize ParseSet(const std::string& text, int64_t age_rank) {
  std::istringstream in(text);
  SetSize size;
  char slash = 0;
  in >> size.replicas >> slash >> size.available;
  EXPECT_TRUE(in && slash == '/') << text;
  size.age_rank = age_rank;
  return size;
}

std::vector<SetSize> ParseSets(std::string_view text, bool* run = nullptr) {
  std::vector<SetSize> sets;
  for (const std::string& word : Words(text)) {
    if (word == "run" && run != nullptr) {
      *run = true;
    } else {
      sets.push_back(ParseSet(word, static_cast<int64_t>(sets.size())));
    }
  }
  return sets;
}

std::string SizesText(const std::vector<int64_t>& sizes) {
  std::string text;
  for (const int64_t size : sizes) text += (text.empty() ? "" : " ") + std::to_string(size);
  return text;
}

const Strategy& StrategyNamed(std::string_view type) {
  const base::Document spec(
      base::Json::MakeObject({{"strategy", base::Json::MakeObject({{"type", type}})}}));
  return StrategyOf(spec.root());
}

}  // namespace

void ExpectNextSizes(std::string_view type, const std::vector<StrategyCase>& cases) {
  for (const StrategyCase& each : cases) {
    RolloutState state;
    state.limits = ParseLimits(each.limits);
    state.old_sets = ParseSets(each.old_sets, &state.old_pods_run);
    if (each.new_set != "-") state.new_set = ParseSet(each.new_set, 0);
    const NextSizes next = StrategyNamed(type).next(state);
    EXPECT_EQ(
        SizesText(next.old_sets) + " | " + (next.new_set ? std::to_string(*next.new_set) : "-"),
        each.next_old + " | " + each.next_new)
        << each.limits << ": " << each.old_sets << " | " << each.new_set << ": " << each.because;
  }
}

std::string LimitsText(std::string_view spec) {
  const auto document = base::Document::Parse(spec);
  const RolloutLimits limits = StrategyOf(document->root()).limits(document->root());
  return std::to_string(limits.replicas) + " +" + std::to_string(limits.max_surge) + " -" +
         std::to_string(limits.max_unavailable);
}

std::string RescaleText(std::string_view type, std::string_view limits, std::string_view text) {
  const std::vector<SetSize> sets = ParseSets(text);
  int64_t running = 0;
  for (const SetSize& set : sets) running += set.replicas;
  return SizesText(StrategyNamed(type).rescale(ParseLimits(limits), running, sets));
}

}  // namespace reconciler

#include "reconciler/rollout/amount.h"

#include <algorithm>
#include <charconv>
#include <string_view>

namespace reconciler {
namespace {

constexpr int64_t kMaxAmount = INT32_MAX;

}  // namespace

int64_t AmountOf(base::Value value, int64_t whole, Round round) {
  if (!value.IsString()) return std::clamp<int64_t>(value.AsInt(), 0, kMaxAmount);
  const std::string_view text = value.AsString();
  int64_t percent = 0;
  std::from_chars(text.data(), text.data() + text.size(), percent);
  percent = std::clamp<int64_t>(percent, 0, kMaxAmount);
  return std::min((whole * percent + (round == Round::kUp ? 99 : 0)) / 100, kMaxAmount);
}

}  // namespace reconciler

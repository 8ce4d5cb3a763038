// A share of a whole, as manifests write it. Pure.
#pragma once

#include <cstdint>

#include "base/document.h"

namespace reconciler {

enum class Round { kUp, kDown };

// 3, or "25%" of `whole`; never negative.
int64_t AmountOf(base::Value value, int64_t whole, Round round);

}  // namespace reconciler

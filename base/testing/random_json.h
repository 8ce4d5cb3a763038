// Random JSON for tests that compare two readings of it, and damage for tests that feed parsers.
// Deterministic: the Rng decides all.
#pragma once

#include <string>

#include "base/json.h"
#include "base/rng.h"

namespace base {

// A value of at most `depth` levels of collections, with every type, any double and any character.
Json RandomJson(Rng& rng, int depth);

// `text` with one to three bytes put in, taken out or changed.
std::string Damaged(Rng& rng, std::string text);

}  // namespace base

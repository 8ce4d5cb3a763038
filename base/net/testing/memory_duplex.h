// Two ends of a Duplex in memory: what one writes, the other reads, in the next turn. A reader that
// pauses holds the writer back as a network would: what it has not read is the writer's backlog.
#pragma once

#include <memory>
#include <utility>

#include "base/loop.h"
#include "base/net/duplex.h"

namespace base {

std::pair<std::unique_ptr<Duplex>, std::unique_ptr<Duplex>> MemoryDuplexPair(Loop& loop);

}  // namespace base

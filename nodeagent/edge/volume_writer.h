// The VolumeWriter of a machine: files, links and mounts, made on the loop's workers.
//
// Made, called and destroyed on the loop; what is under way at its end completes unheard.
#pragma once

#include <memory>

#include "base/loop.h"
#include "nodeagent/volumes/volume_writer.h"

namespace nodeagent {

std::unique_ptr<VolumeWriter> NewVolumeWriter(base::Loop& loop);

}  // namespace nodeagent

// Frames to and from their wire form. Only for the .cc files of the transport: the header brings
// protobuf's in.
#pragma once

#include <optional>

#include "agent.pb.h"
#include "nodeagent/session/frame.h"

namespace nodeagent {

plumb::agent::v1::Frame EncodeFrame(const Frame& frame);

// Nothing for a frame of a kind that this plumb does not know; kBadRequest for one that does not
// read: a status or document that is not JSON.
base::Result<std::optional<Frame>> DecodeFrame(const plumb::agent::v1::Frame& wire);

}  // namespace nodeagent

// What outlives a request, as the loop sees it; its bytes pass on the connection's thread.
//
// Loop only.
#pragma once

#include <memory>
#include <optional>

#include "base/loop.h"
#include "base/net/duplex.h"
#include "base/net/edge/channel.h"
#include "base/net/http.h"

namespace base {

// `channel` has begun.
std::unique_ptr<Stream> NewChannelStream(Loop& loop, std::shared_ptr<Channel> channel);

// The connection itself, after `head` as 101 if there is one. Finishing ends both directions.
std::unique_ptr<Duplex> NewChannelDuplex(Loop& loop, std::shared_ptr<Channel> channel,
                                         std::optional<HttpResponse> head = std::nullopt);

}  // namespace base

// OpenStreams: what is open by whom (watches, logs, commands), so that it ends with the credential
// that opened it.
//
// Loop only. What it guards may outlive it, and then ends as it would have without it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "base/identity.h"
#include "base/net/exchange.h"

namespace base {

class OpenStreams {
 public:
  OpenStreams();

  // The reply to a request of `identity`: a stream that it starts is guarded. One whose credential
  // cannot end comes back as it is.
  std::unique_ptr<Reply> Guard(const Identity& identity, std::unique_ptr<Reply> reply);

  // Ends the streams of those whom `ended` names. Their peers see an end in good order.
  void End(const std::function<bool(const Identity&)>& ended);

  size_t size() const;  // replies and streams that are guarded

  struct Table;  // for the implementation

 private:
  const std::shared_ptr<Table> table_;
};

}  // namespace base

// What a hook and the daemon say to each other: JSON messages, each behind its length as four
// bytes, most significant first. The hook sends one request; the daemon answers with lines and an
// exit code.
//
//   {"hook":"pre-receive","repository":...,"user":...,"groups":[...],"branches":[...],
//    "updates":[{"old":,"new":,"ref":}],"options":[...],"quarantine":...}
//   {"line":"..."}   any number of times
//   {"exit":0}       once, last
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/status.h"
#include "gitsync/edge/git_host.h"

namespace gitsync {

inline constexpr size_t kMaxHookMessageBytes = 4u << 20;
inline constexpr size_t kMaxRefUpdates = 1000;  // of one push
inline constexpr size_t kMaxPushOptions = 64;   // of one push
inline constexpr size_t kMaxPushOptionBytes = 4096;
inline constexpr size_t kMaxHookLineBytes = 4096;  // a longer line is cut

struct HookCall {
  std::string hook;  // "pre-receive"
  PushRequest push;
};

base::Json EncodeCall(const HookCall& call);
// kInvalid, with what is wrong, for what no git would send; kTooLarge beyond the limits.
base::Result<HookCall> DecodeCall(const base::Json& json);
base::Status CheckCall(const HookCall& call);

std::string Frame(const base::Json& message);

// Puts messages together from pieces.
class FrameReader {
 public:
  void Append(std::string_view bytes) { buffer_ += bytes; }
  bool empty() const { return buffer_.empty(); }
  // The next whole message, if there is one; an error ends the conversation.
  base::Result<std::optional<base::Json>> Next();

 private:
  std::string buffer_;
};

// "The path of the hook socket has 120 bytes, more than the 107 ...": kInvalid.
base::Status CheckSocketPath(const std::string& path);

}  // namespace gitsync

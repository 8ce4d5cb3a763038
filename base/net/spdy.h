// The frames of SPDY/3.1 that a client of Kubernetes' older streaming protocol needs: it opens
// streams, and bytes pass. Headers are written in compressed blocks that compress nothing, and
// never read.
//
// Values and pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"

namespace base {

inline constexpr size_t kMaxSpdyFrame = (1u << 24) - 1;  // its length has three bytes

struct SpdyFrame {
  // Of control frames, as they are numbered; data frames have none.
  enum class Type : uint16_t {
    kData = 0,
    kSynStream = 1,
    kSynReply = 2,
    kReset = 3,
    kSettings = 4,
    kPing = 6,
    kGoAway = 7,
    kHeaders = 8,
    kWindowUpdate = 9,
  };
  Type type = Type::kData;
  uint32_t stream = 0;  // of data, and of a control frame that begins with one
  bool final = false;   // nothing more comes on the stream
  std::string payload;
};

class SpdyWriter {
 public:
  // Names are in lower case. Ids are odd and grow.
  void OpenStream(uint32_t id, const std::vector<std::pair<std::string, std::string>>& headers,
                  std::string& out);
  static void Data(uint32_t id, std::string_view payload, bool final, std::string& out);
  // The answer to a ping is the ping.
  static void Pong(const SpdyFrame& ping, std::string& out);

 private:
  bool compressing_ = false;  // all header blocks are one stream of zlib's
};

class SpdyReader {
 public:
  // Appends what is whole to `frames`. kBadRequest for another version.
  Status Feed(std::string_view bytes, std::vector<SpdyFrame>& frames);

 private:
  std::string buffer_;
};

}  // namespace base

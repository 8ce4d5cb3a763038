// A frame has eight bytes of head. Data: stream, flags (1: final), length in three bytes. Control:
// 0x8003, type, flags, length; then, for those that have one, the stream.
// A header block is zlib's (RFC 1950), in one stream for the whole connection: two bytes of head
// before the first block, then blocks that are stored (RFC 1951, 3.2.4), each followed by an empty
// one: readers hand out what they have at those. The dictionary that SPDY names is for those who
// compress.
#include "base/net/spdy.h"

#include <utility>

#include "base/net/big_endian.h"

namespace base {
namespace {

constexpr size_t kFrameHeadBytes = 8;
constexpr uint16_t kControlVersion = 0x8003;
constexpr uint8_t kFinal = 1;

void AppendLittle16(size_t number, std::string& out) {
  out += static_cast<char>(number & 0xff);
  out += static_cast<char>(number >> 8 & 0xff);
}

void AppendControl(SpdyFrame::Type type, std::string_view payload, std::string& out) {
  AppendBigEndian(kControlVersion, 2, out);
  AppendBigEndian(static_cast<uint16_t>(type), 2, out);
  out += '\0';
  AppendBigEndian(payload.size(), 3, out);
  out.append(payload);
}

bool NamesStream(SpdyFrame::Type type) {
  return type != SpdyFrame::Type::kSettings && type != SpdyFrame::Type::kPing &&
         type != SpdyFrame::Type::kGoAway;
}

}  // namespace

void SpdyWriter::OpenStream(uint32_t id,
                            const std::vector<std::pair<std::string, std::string>>& headers,
                            std::string& out) {
  std::string block;
  AppendBigEndian(headers.size(), 4, block);
  for (const auto& [name, value] : headers) {
    AppendBigEndian(name.size(), 4, block);
    block += name;
    AppendBigEndian(value.size(), 4, block);
    block += value;
  }
  CHECK(block.size() < 1u << 16);
  std::string payload;
  AppendBigEndian(id, 4, payload);
  AppendBigEndian(0, 4, payload);  // no associated stream
  AppendBigEndian(0, 2, payload);  // priority and slot
  if (!compressing_) payload += "\x78\x01";
  compressing_ = true;
  payload += '\0';  // a stored block that is not the last
  AppendLittle16(block.size(), payload);
  AppendLittle16(~block.size(), payload);
  payload += block;
  payload += std::string_view("\0\0\0\xff\xff", 5);
  AppendControl(SpdyFrame::Type::kSynStream, payload, out);
}

void SpdyWriter::Data(uint32_t id, std::string_view payload, bool final, std::string& out) {
  CHECK(payload.size() <= kMaxSpdyFrame);
  AppendBigEndian(id, 4, out);
  out += static_cast<char>(final ? kFinal : 0);
  AppendBigEndian(payload.size(), 3, out);
  out.append(payload);
}

void SpdyWriter::Pong(const SpdyFrame& ping, std::string& out) {
  AppendControl(SpdyFrame::Type::kPing, ping.payload, out);
}

Status SpdyReader::Feed(std::string_view bytes, std::vector<SpdyFrame>& frames) {
  std::string buffer = std::exchange(buffer_, {});
  buffer.append(bytes);
  std::string_view rest = buffer;
  while (rest.size() >= kFrameHeadBytes) {
    const size_t length = ReadBigEndian(rest.substr(5, 3));
    const bool control = (static_cast<uint8_t>(rest[0]) & 0x80) != 0;
    if (control && ReadBigEndian(rest.substr(0, 2)) != kControlVersion) {
      return Status(Code::kBadRequest, "the peer does not speak SPDY/3.1");
    }
    if (rest.size() - kFrameHeadBytes < length) break;
    SpdyFrame frame;
    frame.final = (static_cast<uint8_t>(rest[4]) & kFinal) != 0;
    frame.payload = rest.substr(kFrameHeadBytes, length);
    if (control) {
      frame.type = static_cast<SpdyFrame::Type>(ReadBigEndian(rest.substr(2, 2)));
      if (NamesStream(frame.type) && frame.payload.size() >= 4) {
        frame.stream = ReadBigEndian(std::string_view(frame.payload).substr(0, 4)) & 0x7fffffff;
      }
    } else {
      frame.stream = ReadBigEndian(rest.substr(0, 4));
    }
    frames.push_back(std::move(frame));
    rest.remove_prefix(kFrameHeadBytes + length);
  }
  buffer_ = rest;
  return {};
}

}  // namespace base

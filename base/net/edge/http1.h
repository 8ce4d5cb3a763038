// HTTP/1.1 messages as bytes (RFC 9112): heads parsed and written, bodies unframed. No I/O.
//
// Values; one owner each. Shared by the server and the client.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/net/http.h"
#include "base/status.h"

namespace base {

inline constexpr size_t kMaxHeaders = 200;

struct BodyFraming {
  enum class Kind { kNone, kLength, kChunked };
  Kind kind = Kind::kNone;
  uint64_t length = 0;  // of kLength
};

struct RequestHead {
  std::string method;
  std::string target;
  int minor_version = 1;                       // HTTP/1.x
  std::map<std::string, std::string> headers;  // names in lower case, values as sent
  BodyFraming body;
  bool keep_alive = true;
  bool expects_continue = false;
};

// The bytes of the head at the front of `buffer`, its blank line included; 0 if it is not complete.
// `*scanned` remembers across calls how far was looked; it starts at 0.
size_t FindHeadEnd(std::string_view buffer, size_t* scanned);

// `head` ends with the blank line. kBadRequest for anything that two readers could read in two
// ways.
Result<RequestHead> ParseRequestHead(std::string_view head);

// Takes a body out of its framing, piece by piece.
class BodyDecoder {
 public:
  explicit BodyDecoder(BodyFraming framing);
  // Appends content from the front of `in` to `out`, at most `limit` bytes of it; returns how many
  // bytes of `in` it used. kBadRequest if the framing is broken.
  Result<size_t> Feed(std::string_view in, size_t limit, std::string& out);
  bool done() const { return state_ == State::kDone; }

 private:
  enum class State { kContent, kSize, kContentEnd, kTrailer, kDone };
  Status ReadLine(char c);
  Status ReadSize();

  State state_;
  bool chunked_;
  uint64_t remaining_;  // of the content or chunk being read
  std::string line_;
  size_t trailer_bytes_ = 0;
};

// What follows a response's head.
enum class ResponseBody { kWhole, kChunked, kUntilClose };

// The head of `response`, blank line included; kWhole announces response.body's length.
// `seconds_since_1970` becomes Date.
std::string FormatResponseHead(const HttpResponse& response, ResponseBody body, bool keep_alive,
                               int64_t seconds_since_1970);

// One chunk; `content` is not empty.
void AppendChunk(std::string_view content, std::string& out);
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

std::string_view ReasonPhrase(int http_status);

// True for 1xx, 204 and 304: they never have a body.
bool IsBodyless(int http_status);

}  // namespace base

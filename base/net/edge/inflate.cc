#include "base/net/edge/inflate.h"

#include <zlib.h>

#include <string>

namespace base {
namespace {

constexpr int kGzipOnly = 16 + MAX_WBITS;
constexpr size_t kPieceBytes = 64u << 10;

}  // namespace

struct GzipReader::Impl {
  z_stream stream{};
  bool ended = false;
  std::string piece = std::string(kPieceBytes, '\0');
};

GzipReader::GzipReader() : impl_(std::make_unique<Impl>()) {
  CHECK(inflateInit2(&impl_->stream, kGzipOnly) == Z_OK);
}

GzipReader::~GzipReader() { inflateEnd(&impl_->stream); }

Status GzipReader::Feed(std::string_view in, const std::function<bool(std::string_view)>& sink) {
  z_stream& stream = impl_->stream;
  // zlib's interface is older than const.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
  stream.avail_in = static_cast<uInt>(in.size());
  do {
    if (impl_->ended) {
      if (in.empty()) return {};
      return {Code::kBadRequest, "the gzip body goes on after its end"};
    }
    stream.next_out = reinterpret_cast<Bytef*>(impl_->piece.data());
    stream.avail_out = static_cast<uInt>(impl_->piece.size());
    int result = inflate(&stream, Z_NO_FLUSH);
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) {
      return {Code::kBadRequest, "the body is not the gzip that Content-Encoding says"};
    }
    impl_->ended = result == Z_STREAM_END;
    std::string_view out(impl_->piece.data(), impl_->piece.size() - stream.avail_out);
    if (!out.empty() && !sink(out)) return {};
  } while (stream.avail_in > 0 || (stream.avail_out == 0 && !impl_->ended));
  return {};
}

Status GzipReader::Finish() const {
  if (impl_->ended) return {};
  return {Code::kBadRequest, "the gzip body ends early"};
}

}  // namespace base

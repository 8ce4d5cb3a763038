#include "plumb/reports/backup_format.h"

#include <algorithm>
#include <charconv>

#include "base/hash.h"

namespace plumb {
namespace {

using base::Code;
using base::Status;

constexpr std::string_view kName = "plumb backup ";
constexpr size_t kMaxNameLine = 32;
constexpr size_t kHeadBytes = 5, kCrcBytes = 4;

std::string LittleEndian(uint64_t value, size_t bytes) {
  std::string text;
  for (size_t i = 0; i < bytes; ++i) text += static_cast<char>(value >> 8 * i);
  return text;
}

uint32_t ReadLittleEndian(std::string_view bytes) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) value |= uint32_t{static_cast<uint8_t>(bytes[i])} << 8 * i;
  return value;
}

uint32_t CrcOf(uint64_t number, std::string_view head_and_payload) {
  return base::Crc32c(LittleEndian(number, 8) + std::string(head_and_payload));
}

}  // namespace

std::string BackupWriter::Write(FrameKind kind, std::string_view payload) {
  CHECK(payload.size() <= kMaxFrameBytes);
  std::string frame(1, static_cast<char>(kind));
  frame += LittleEndian(payload.size(), 4);
  frame += payload;
  frame += LittleEndian(CrcOf(number_, frame), kCrcBytes);
  if (number_++ > 0) return frame;
  return std::string(kName) + std::to_string(kBackupFormat) + "\n" + frame;
}

Status BackupReader::Damaged(const std::string& what) const {
  return Status(Code::kCorruption, "the backup is damaged at byte " + std::to_string(offset_) +
                                       ": " + what + "; use another one");
}

Status BackupReader::Feed(std::string_view bytes,
                          const std::function<Status(const BackupFrame&)>& take) {
  pending_ += bytes;
  if (!named_) {
    const size_t end = pending_.find('\n');
    if (!pending_.starts_with(kName.substr(0, std::min(kName.size(), pending_.size()))) ||
        (end == std::string::npos && pending_.size() > kMaxNameLine)) {
      return Status(Code::kInvalid, "this is no backup of plumb");
    }
    if (end == std::string::npos) return Status();
    int format = 0;
    std::from_chars(pending_.data() + kName.size(), pending_.data() + end, format);
    if (format > kBackupFormat) {
      return Status(Code::kUnavailable, "the backup has format " + std::to_string(format) +
                                            ", this plumb reads up to " +
                                            std::to_string(kBackupFormat) +
                                            "; restore it with a newer plumb");
    }
    if (format < 1) return Status(Code::kInvalid, "this is no backup of plumb");
    pending_.erase(0, end + 1);
    offset_ = end + 1;
    named_ = true;
  }
  for (bool taken = true; taken;) RETURN_IF_ERROR(TakeFrame(taken, take));
  return Status();
}

Status BackupReader::TakeFrame(bool& taken, const std::function<Status(const BackupFrame&)>& take) {
  taken = false;
  if (ended_ && !pending_.empty()) return Damaged("something follows its end");
  if (pending_.size() < kHeadBytes) return Status();
  const size_t length = ReadLittleEndian(std::string_view(pending_).substr(1, 4));
  if (length > kMaxFrameBytes) return Damaged("a frame has an impossible length");
  if (pending_.size() < kHeadBytes + length + kCrcBytes) return Status();
  const std::string_view body = std::string_view(pending_).substr(0, kHeadBytes + length);
  if (CrcOf(number_, body) != ReadLittleEndian(std::string_view(pending_).substr(body.size(), 4))) {
    return Damaged("a checksum is wrong");
  }
  const BackupFrame frame{static_cast<FrameKind>(body[0]), std::string(body.substr(kHeadBytes))};
  pending_.erase(0, kHeadBytes + length + kCrcBytes);
  offset_ += kHeadBytes + length + kCrcBytes;
  ++number_;
  taken = true;
  if (frame.kind == FrameKind::kFailed) {
    return Status(Code::kInternal, "the backup is not complete: " + frame.payload);
  }
  ended_ = frame.kind == FrameKind::kEnd;
  return take(frame);
}

Status BackupReader::Finish() const {
  if (ended_) return Status();
  if (!named_) return Status(Code::kInvalid, "this is no backup of plumb");
  return Status(Code::kCorruption, "the backup ends at byte " +
                                       std::to_string(offset_ + pending_.size()) +
                                       ", before it is complete; use another one");
}

}  // namespace plumb

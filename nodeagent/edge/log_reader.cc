// Rules:
// - A line is "TIME STREAM TAG TEXT"; the tag P says that the text's own line goes on in the next
//   one, F that it ends here: the pieces between are one line of the container's. A line that is
//   not of this form is given out as it is.
// - The tail counts the container's lines from the end, not their pieces; one that has not ended
//   yet is a line, too. A line is as old as its first piece, and left out, or not, as a whole.
// - At the end of the file the path is looked at: if another file stands there, the log was
//   rotated; what is left of the old one comes first.
#include "nodeagent/edge/log_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <iterator>
#include <set>
#include <utility>
#include <vector>

namespace nodeagent {
namespace {

struct Line {
  std::string_view time;
  bool is_error = false;  // of stderr
  bool ends = true;
  std::string_view text;
};

// Cuts "TIME STREAM TAG TEXT"; false if it is none.
bool Parse(std::string_view line, Line& out) {
  const size_t first = line.find(' ');
  if (first == line.npos) return false;
  const size_t second = line.find(' ', first + 1);
  if (second == line.npos) return false;
  const size_t third = std::min(line.find(' ', second + 1), line.size());
  const std::string_view stream = line.substr(first + 1, second - first - 1);
  if (stream != "stdout" && stream != "stderr") return false;
  const std::string_view tags = line.substr(second + 1, third - second - 1);
  out.time = line.substr(0, first);
  out.is_error = stream == "stderr";
  out.ends = tags.substr(0, tags.find(':')) != "P";
  out.text = third == line.size() ? std::string_view() : line.substr(third + 1);
  return true;
}

constexpr off_t kHeadBytes = 128;  // of a line: its time, stream and tag are within

// True if what begins here, which may be cut off after its tag, is not to be continued.
bool EndsLine(std::string_view text) {
  Line line;
  return !Parse(text.substr(0, text.find('\n')), line) || line.ends;
}

// Where the last `lines` lines of the container's begin, in a file of `size` bytes. From the end
// on, each line end shows where a piece begins: the one after it begins a line if this one ends.
base::Result<off_t> TailOffset(int file, off_t size, int64_t lines, const std::string& path) {
  if (lines <= 0) return size;
  std::string block;
  off_t next = size;  // where the piece after the one that is looked at begins
  int64_t found = 0;
  for (off_t end = size; end > 0;) {
    const off_t begin = std::max<off_t>(0, end - static_cast<off_t>(kLogChunkBytes));
    block.resize(static_cast<size_t>(std::min(size, end + kHeadBytes) - begin));
    const ssize_t got = pread(file, block.data(), block.size(), begin);
    if (got < 0) return base::ErrnoStatus("cannot read " + path, errno);
    const std::string_view text(block.data(), static_cast<size_t>(got));
    for (off_t at = std::min<off_t>(end - begin, got); at >= 0; --at) {
      const bool piece = at == 0 ? begin == 0 : text[static_cast<size_t>(at - 1)] == '\n';
      if (!piece || begin + at == size) continue;
      if (next != size && EndsLine(text.substr(static_cast<size_t>(at))) && ++found == lines) {
        return next;
      }
      next = begin + at;
    }
    end = begin;
  }
  return off_t{0};
}

}  // namespace

LogReader::LogReader(std::string path, state::LogRequest request)
    : path_(std::move(path)), request_(std::move(request)) {}

base::Status LogReader::Open() {
  base::UniqueFd file(open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file.valid()) return base::ErrnoStatus("cannot open the log " + path_, errno);
  file_ = std::move(file);
  return {};
}

base::Status LogReader::SeekTail() {
  if (!request_.tail_lines) return {};
  struct stat info;
  if (fstat(file_.get(), &info) != 0) return base::ErrnoStatus("cannot look at " + path_, errno);
  ASSIGN_OR_RETURN(const off_t begin,
                   TailOffset(file_.get(), info.st_size, *request_.tail_lines, path_));
  lseek(file_.get(), begin, SEEK_SET);
  return {};
}

// Reads on; false at the end of the file.
bool LogReader::Fill() {
  char block[kLogChunkBytes];
  const ssize_t got = read(file_.get(), block, sizeof block);
  if (got <= 0) return false;
  buffer_.append(block, static_cast<size_t>(got));
  return true;
}

bool LogReader::Rotated() const {
  struct stat own, current;
  return fstat(file_.get(), &own) == 0 && stat(path_.c_str(), &current) == 0 &&
         (own.st_ino != current.st_ino || own.st_dev != current.st_dev);
}

void LogReader::Append(std::string_view text, std::string& out) {
  if (request_.limit_bytes) {
    const int64_t left = std::max<int64_t>(0, *request_.limit_bytes - given_);
    limit_reached_ = static_cast<int64_t>(text.size()) >= left;
    text = text.substr(0, static_cast<size_t>(left));
  }
  given_ += static_cast<int64_t>(text.size());
  out += text;
}

void LogReader::TakeLine(std::string_view line, std::string& out) {
  if (limit_reached_) return;
  Line parsed;
  if (!Parse(line, parsed)) return Append(std::string(line) + "\n", out);
  Stream& stream = streams_[parsed.is_error ? 1 : 0];
  const bool begins = !std::exchange(stream.in_line, !parsed.ends);
  if (begins) {
    const auto time = base::WallTime::Parse(parsed.time);
    stream.left_out = !request_.since.IsZero() && time.ok() && *time < request_.since;
  }
  if (stream.left_out) return;
  std::string text;
  if (request_.timestamps && begins) text = std::string(parsed.time) + " ";
  text += parsed.text;
  if (parsed.ends) text += '\n';
  Append(text, out);
}

base::Result<std::string> LogReader::Next() {
  if (!file_.valid()) {
    RETURN_IF_ERROR(Open());
    RETURN_IF_ERROR(SeekTail());
  }
  std::string out;
  while (out.size() < kLogChunkBytes && !limit_reached_) {
    const bool rotated =
        request_.follow && Rotated();  // asked before the last look at the old file
    if (!Fill()) {
      if (!rotated) break;
      RETURN_IF_ERROR(Open());
      continue;
    }
    size_t begin = 0;
    for (size_t end; (end = buffer_.find('\n', begin)) != buffer_.npos; begin = end + 1) {
      TakeLine(std::string_view(buffer_).substr(begin, end - begin), out);
    }
    buffer_.erase(0, begin);
    if (buffer_.size() > kMaxLogLineBytes) TakeLine(std::exchange(buffer_, ""), out);
  }
  return out;
}

base::Result<std::unique_ptr<LogText>> LogFiles::Open(const std::string& directory,
                                                      const state::LogRequest& request) {
  std::set<int> attempts;
  const base::Result<std::vector<std::string>> names = base::ListDirectory(directory);
  if (names.ok()) {
    for (const std::string& name : *names) {
      if (name.ends_with(".log")) attempts.insert(std::atoi(name.c_str()));
    }
  }
  if (request.previous && !attempts.empty()) attempts.erase(std::prev(attempts.end()));
  if (attempts.empty()) {
    return base::Status(base::Code::kNotFound, request.previous
                                                   ? "the container has no previous log"
                                                   : "the container has no log yet");
  }
  return std::unique_ptr<LogText>(std::make_unique<LogReader>(
      directory + "/" + std::to_string(*attempts.rbegin()) + ".log", request));
}

base::Result<std::string> ReadLogEnd(const std::string& path, size_t lines, size_t bytes) {
  state::LogRequest request;
  request.tail_lines = static_cast<int64_t>(lines);
  LogReader reader(path, request);
  std::string text;
  while (true) {
    ASSIGN_OR_RETURN(const std::string more, reader.Next());
    if (more.empty()) return text;
    text += more;
    if (text.size() > bytes) text.erase(0, text.size() - bytes);
  }
}

}  // namespace nodeagent

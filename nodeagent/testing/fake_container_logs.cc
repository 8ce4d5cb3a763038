#include "nodeagent/testing/fake_container_logs.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <utility>

namespace nodeagent {
namespace {

class FakeLog final : public LogText {
 public:
  FakeLog(const FakeRuntime& runtime, std::string path, const state::LogRequest& request)
      : runtime_(runtime), path_(std::move(path)), request_(request) {
    if (!request.tail_lines) return;
    const std::string log = runtime_.Log(path_);
    int64_t skipped = std::count(log.begin(), log.end(), '\n') - *request.tail_lines;
    for (; skipped > 0; --skipped) read_ = log.find('\n', read_) + 1;
  }

  base::Result<std::string> Next() override {
    const std::string log = runtime_.Log(path_);
    std::string text;
    for (size_t end; !limit_reached_ && text.size() < kLogChunkBytes &&
                     (end = log.find('\n', read_)) != log.npos;
         read_ = end + 1) {
      const std::string line = log.substr(read_, end - read_ + 1);  // "TIME stdout F TEXT"
      const size_t time = line.find(' ');
      const size_t tag = line.find(' ', line.find(' ', time + 1) + 1);
      Append((request_.timestamps ? line.substr(0, time + 1) : "") + line.substr(tag + 1), text);
    }
    return text;
  }
  bool limit_reached() const override { return limit_reached_; }
  const std::string& path() const override { return path_; }

 private:
  void Append(const std::string& line, std::string& text) {
    const int64_t left = request_.limit_bytes.value_or(INT64_MAX) - given_;
    limit_reached_ = static_cast<int64_t>(line.size()) >= left;
    text += line.substr(0, static_cast<size_t>(left));
    given_ += static_cast<int64_t>(line.size());
  }

  const FakeRuntime& runtime_;
  const std::string path_;
  const state::LogRequest request_;
  size_t read_ = 0;
  int64_t given_ = 0;
  bool limit_reached_ = false;
};

}  // namespace

base::Result<std::unique_ptr<LogText>> FakeContainerLogs::Open(const std::string& directory,
                                                               const state::LogRequest& request) {
  std::map<int, std::string> attempts;
  for (const auto& [path, text] : runtime_.logs()) {
    if (!path.starts_with(directory + "/")) continue;
    attempts[std::atoi(path.c_str() + directory.size() + 1)] = path;
  }
  if (request.previous && !attempts.empty()) attempts.erase(std::prev(attempts.end()));
  if (attempts.empty()) return base::Status(base::Code::kNotFound, "the container has no log yet");
  return std::unique_ptr<LogText>(
      std::make_unique<FakeLog>(runtime_, attempts.rbegin()->second, request));
}

}  // namespace nodeagent

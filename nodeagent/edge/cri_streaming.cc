#include "nodeagent/edge/cri_streaming.h"

#include <charconv>
#include <string_view>

#include "base/net/edge/tcp.h"

namespace nodeagent {
namespace {

constexpr std::string_view kScheme = "http://";

}  // namespace

void CriStreaming::Connect(const std::string& url, SpdyCommand& command) {
  const base::Status strange(
      base::Code::kInternal,
      "the container runtime streams at an address that is not understood: " + url);
  if (!url.starts_with(kScheme)) return command.Fail(strange);
  const std::string_view rest = std::string_view(url).substr(kScheme.size());
  const size_t slash = rest.find('/');
  const size_t colon = rest.find(':');
  if (slash == rest.npos || colon == rest.npos || colon > slash) return command.Fail(strange);
  int port = 0;
  const auto [end, error] = std::from_chars(rest.data() + colon + 1, rest.data() + slash, port);
  if (error != std::errc() || end != rest.data() + slash) return command.Fail(strange);
  if (!started_) {
    const base::Status status = poller_.Start();
    if (!status.ok()) return command.Fail(status);
    started_ = true;
  }
  command.Start(base::ConnectTcp(loop_, poller_, std::string(rest.substr(0, colon)), port),
                std::string(rest.substr(0, slash)), std::string(rest.substr(slash)));
}

}  // namespace nodeagent

// A message is a byte for the channel, four for the payload's length (the first the highest), and
// the payload.
#include "base/net/remote_channels.h"

#include <utility>

#include "base/json.h"
#include "base/net/big_endian.h"
#include "base/net/http.h"

namespace base {
namespace {

constexpr size_t kHeadBytes = 5;

}  // namespace

void AppendRemoteMessage(RemoteChannel channel, std::string_view payload, std::string& out) {
  out += static_cast<char>(channel);
  for (int shift = 24; shift >= 0; shift -= 8) {
    out += static_cast<char>(payload.size() >> shift & 0xff);
  }
  out.append(payload);
}

std::string RemoteMessage(RemoteChannel channel, std::string_view payload) {
  std::string out;
  AppendRemoteMessage(channel, payload, out);
  return out;
}

Status RemoteMessageReader::Feed(std::string_view bytes, const OnMessage& on_message) {
  std::string buffer = std::exchange(buffer_, {});
  buffer.append(bytes);
  std::string_view rest = buffer;
  while (rest.size() >= kHeadBytes) {
    const size_t length = ReadBigEndian(rest.substr(1, kHeadBytes - 1));
    if (length > kMaxRemoteMessage) {
      return Status(Code::kTooLarge, "a message of a remote command is larger than " +
                                         std::to_string(kMaxRemoteMessage) + " bytes");
    }
    if (rest.size() - kHeadBytes < length) break;
    on_message(static_cast<RemoteChannel>(static_cast<uint8_t>(rest[0])),
               rest.substr(kHeadBytes, length));
    rest.remove_prefix(kHeadBytes + length);
  }
  buffer_ = rest;
  return {};
}

std::string RemoteExitStatus(int exit_code) {
  if (exit_code == 0) {
    return Json::MakeObject({{"metadata", Json::MakeObject()}, {"status", "Success"}}).ToString();
  }
  const std::string code = std::to_string(exit_code);
  Json causes = Json::MakeArray();
  causes.Append(Json::MakeObject({{"reason", "ExitCode"}, {"message", code}}));
  return Json::MakeObject({{"metadata", Json::MakeObject()},
                           {"status", "Failure"},
                           {"message", "command terminated with non-zero exit code: " + code},
                           {"reason", "NonZeroExitCode"},
                           {"details", Json::MakeObject({{"causes", std::move(causes)}})}})
      .ToString();
}

std::string RemoteFailureStatus(const Status& status) { return FailureResponse(status).body; }

}  // namespace base

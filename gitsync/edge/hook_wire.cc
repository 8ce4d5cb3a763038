// Both ends check what they take: the hook so that it can say what is wrong with a push, the daemon
// because it trusts nobody's bytes.
#include "gitsync/edge/hook_wire.h"

#include <sys/un.h>

#include <algorithm>

#include "base/utf8.h"
#include "base/words.h"
#include "gitsync/source/git_rules.h"

namespace gitsync {

using base::Code;
using base::Json;
using base::Result;
using base::Status;

namespace {

inline constexpr size_t kLengthBytes = 4;
Status Malformed(const std::string& what) {
  return Status(Code::kInvalid, "malformed hook request: " + what);
}

}  // namespace

Json EncodeCall(const HookCall& call) {
  Json updates = Json::MakeArray();
  for (const RefUpdate& update : call.push.updates) {
    updates.Append(
        Json::MakeObject({{"old", update.old_oid}, {"new", update.new_oid}, {"ref", update.ref}}));
  }
  return Json::MakeObject({{"hook", call.hook},
                           {"repository", call.push.repository},
                           {"user", call.push.user},
                           {"groups", base::ListOf(call.push.groups)},
                           {"branches", base::ListOf(call.push.branches)},
                           {"updates", std::move(updates)},
                           {"options", base::ListOf(call.push.options)},
                           {"quarantine", call.push.quarantine.object_directory}});
}

Result<HookCall> DecodeCall(const Json& json) {
  HookCall call;
  call.hook = json["hook"].AsString();
  call.push.repository = json["repository"].AsString();
  call.push.user = json["user"].AsString();
  call.push.quarantine.object_directory = json["quarantine"].AsString();
  for (const Json& update : json["updates"].Elements()) {
    call.push.updates.push_back({std::string(update["old"].AsString()),
                                 std::string(update["new"].AsString()),
                                 std::string(update["ref"].AsString())});
  }
  call.push.groups = base::WordsOf(json["groups"]);
  call.push.branches = base::WordsOf(json["branches"]);
  call.push.options = base::WordsOf(json["options"]);
  RETURN_IF_ERROR(CheckCall(call));
  return call;
}

Status CheckCall(const HookCall& call) {
  if (call.hook != "pre-receive" && call.hook != "post-receive") {
    return Malformed("there is no hook \"" + call.hook + "\"");
  }
  RETURN_IF_ERROR(CheckRepositoryName(call.push.repository));
  if (call.push.updates.size() > kMaxRefUpdates) {
    return Status(Code::kTooLarge, "a push moves at most " + std::to_string(kMaxRefUpdates) +
                                       " refs; push fewer at once");
  }
  if (call.push.options.size() > kMaxPushOptions) {
    return Status(Code::kTooLarge,
                  "a push has at most " + std::to_string(kMaxPushOptions) + " push options");
  }
  for (const RefUpdate& update : call.push.updates) {
    if (!IsObjectId(update.old_oid) || !IsObjectId(update.new_oid)) {
      return Malformed("ref " + update.ref + " moves between no object ids");
    }
    if (!base::IsUtf8(update.ref)) return Status(Code::kInvalid, "the name of a ref must be UTF-8");
    RETURN_IF_ERROR(CheckRefName(update.ref));
  }
  for (const std::string& option : call.push.options) {
    if (option.size() > kMaxPushOptionBytes) {
      return Status(Code::kTooLarge,
                    "a push option has at most " + std::to_string(kMaxPushOptionBytes) + " bytes");
    }
    if (!base::IsUtf8(option)) return Status(Code::kInvalid, "push options must be UTF-8");
  }
  if (!base::IsUtf8(call.push.user)) return Malformed("the user's name is not UTF-8");
  for (const auto* words : {&call.push.groups, &call.push.branches}) {
    for (const std::string& word : *words) {
      if (!base::IsUtf8(word)) return Malformed("what the user may do is not UTF-8");
    }
  }
  if (!base::IsUtf8(call.push.quarantine.object_directory)) {
    return Malformed("the path of the quarantine is not UTF-8");
  }
  return {};
}

std::string Frame(const Json& message) {
  const std::string body = message.ToString();
  std::string frame;
  for (int shift = 24; shift >= 0; shift -= 8) {
    frame += static_cast<char>(body.size() >> shift & 0xff);
  }
  return frame + body;
}

Result<std::optional<Json>> FrameReader::Next() {
  if (buffer_.size() < kLengthBytes) return std::optional<Json>();
  size_t length = 0;
  for (size_t i = 0; i < kLengthBytes; ++i) {
    length = length << 8 | static_cast<unsigned char>(buffer_[i]);
  }
  if (length > kMaxHookMessageBytes) {
    return Status(Code::kTooLarge, "a hook message of " + std::to_string(length) +
                                       " bytes is larger than " +
                                       std::to_string(kMaxHookMessageBytes));
  }
  if (buffer_.size() < kLengthBytes + length) return std::optional<Json>();
  ASSIGN_OR_RETURN(Json message,
                   base::ParseJson(std::string_view(buffer_).substr(kLengthBytes, length)));
  buffer_.erase(0, kLengthBytes + length);
  return std::optional<Json>(std::move(message));
}

Status CheckSocketPath(const std::string& path) {
  constexpr size_t kMaxPath = sizeof(sockaddr_un::sun_path) - 1;
  if (!path.empty() && path.size() <= kMaxPath) return {};
  return Status(Code::kInvalid, "the path of the hook socket has " + std::to_string(path.size()) +
                                    " bytes, but a socket's may have 1 to " +
                                    std::to_string(kMaxPath) + ": choose a shorter --data-dir");
}

}  // namespace gitsync

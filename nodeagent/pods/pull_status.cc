// Rule: containerd answers most failed pulls with an unknown code; what went wrong stands only in
// the text of its message. The words looked for are those of its resolver and of Go's network
// errors. The first that matches wins; they go from what the registry said to what the network did.
#include "nodeagent/pods/pull_status.h"

namespace nodeagent {
namespace {

struct PullWord {
  std::string_view text;
  base::Code code;
};
constexpr PullWord kPullWords[] = {
    {"failed to parse image reference", base::Code::kInvalid},
    {"invalid reference format", base::Code::kInvalid},
    {"401 Unauthorized", base::Code::kForbidden},
    {"403 Forbidden", base::Code::kForbidden},
    {"authorization failed", base::Code::kForbidden},
    {"no basic auth credentials", base::Code::kForbidden},
    {"404 Not Found", base::Code::kNotFound},
    {"not found", base::Code::kNotFound},
    {"deadline exceeded", base::Code::kTimeout},
    {"i/o timeout", base::Code::kTimeout},
    {"TLS handshake timeout", base::Code::kTimeout},
    {"connection refused", base::Code::kUnavailable},
    {"connection reset", base::Code::kUnavailable},
    {"no such host", base::Code::kUnavailable},
    {"network is unreachable", base::Code::kUnavailable},
    {"no route to host", base::Code::kUnavailable},
    {"server misbehaving", base::Code::kUnavailable},
    {"502 Bad Gateway", base::Code::kUnavailable},
    {"503 Service Unavailable", base::Code::kUnavailable},
};

base::Code CodeOf(base::Code code, std::string_view message) {
  for (const PullWord& word : kPullWords) {
    if (message.find(word.text) != std::string_view::npos) return word.code;
  }
  return code;
}

std::string_view Advice(base::Code code) {
  switch (code) {
    case base::Code::kNotFound: return "there is no such image; check its name and tag";
    case base::Code::kForbidden: return "the registry refuses; check the imagePullSecrets";
    case base::Code::kTimeout: return "the registry did not answer in time";
    case base::Code::kUnavailable: return "the registry cannot be reached";
    case base::Code::kInvalid: return "this is no image reference";
    default: return "the pull failed";
  }
}

}  // namespace

base::Status PullStatus(const std::string& reference, base::Code code, const std::string& message) {
  code = CodeOf(code, message);
  return base::Status(code,
                      "image \"" + reference + "\": " + std::string(Advice(code)) + ": " + message);
}

}  // namespace nodeagent

// One table of formats: its name, what people call it, what it demands, and the test. All letters
// are ASCII; a limit counts bytes. A subdomain's labels have no limit of their own, as in
// Kubernetes.
#include "manifests/syntax.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace manifests {
namespace {

constexpr size_t kMaxLabel = 63;
constexpr size_t kMaxSubdomain = 253;
constexpr size_t kMaxPortName = 15;
constexpr size_t kMaxShownValue = 80;  // bytes of a bad value that a message repeats

bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsAlnum(char c) { return IsLower(c) || IsDigit(c) || (c >= 'A' && c <= 'Z'); }
bool IsLowerAlnum(char c) { return IsLower(c) || IsDigit(c); }

// Lower-case letters, digits and '-', with a letter or digit at both ends; any length but none.
bool IsLabelOfAnyLength(std::string_view text) {
  return !text.empty() && IsLowerAlnum(text.front()) && IsLowerAlnum(text.back()) &&
         std::all_of(text.begin(), text.end(), [](char c) { return IsLowerAlnum(c) || c == '-'; });
}

// The part of a qualified name after the slash; also a label value.
bool IsNamePart(std::string_view text) {
  return !text.empty() && text.size() <= kMaxLabel && IsAlnum(text.front()) &&
         IsAlnum(text.back()) && std::all_of(text.begin(), text.end(), [](char c) {
           return IsAlnum(c) || c == '-' || c == '_' || c == '.';
         });
}

bool HasParentStep(std::string_view path) {
  while (true) {
    const size_t slash = path.find('/');
    if (path.substr(0, slash) == "..") return true;
    if (slash == std::string_view::npos) return false;
    path.remove_prefix(slash + 1);
  }
}

bool HasControls(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7F'; });
}

bool IsPath(std::string_view text) {
  return !text.empty() && !HasControls(text) && !HasParentStep(text);
}

// Names that begin with ".." are those of the volume's own links.
bool IsItemPath(std::string_view text) {
  return IsPath(text) && text.front() != '/' && !text.starts_with("..");
}

// For /etc/hosts and resolv.conf, whose lines and words these names may not end. Wider than DNS:
// resolvers take what they find.
bool IsHostWord(std::string_view text) {
  return !text.empty() && text.size() <= kMaxSubdomain &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return IsAlnum(c) || c == '-' || c == '_' || c == '.'; });
}

bool IsWord(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7F'; });
}

bool IsRelativePath(std::string_view text) { return IsPath(text) && text.front() != '/'; }

bool IsAddress(std::string_view text, int family) {
  unsigned char bytes[16];
  return text.find('\0') == std::string_view::npos &&
         inet_pton(family, std::string(text).c_str(), bytes) == 1;
}

bool IsIpAddress(std::string_view text) {
  return IsAddress(text, AF_INET) || IsAddress(text, AF_INET6);
}

bool IsCidr(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return false;
  const std::string_view address = text.substr(0, slash);
  const std::string_view bits = text.substr(slash + 1);
  unsigned length = 0;
  const auto [end, error] = std::from_chars(bits.data(), bits.data() + bits.size(), length);
  if (error != std::errc() || end != bits.data() + bits.size()) return false;
  if (bits.size() > 1 && bits.front() == '0') return false;
  return (length <= 32 && IsAddress(address, AF_INET)) ||
         (length <= 128 && IsAddress(address, AF_INET6));
}

struct Format {
  std::string_view name;
  std::string_view what;
  std::string_view demand;
  bool (*fits)(std::string_view);
};

constexpr std::array kFormats = {
    Format{"dns1123label", "a DNS label (RFC 1123)",
           "use lower-case letters, digits and '-', with a letter or digit at both ends, at most "
           "63 characters, like \"web-1\"",
           IsDns1123Label},
    Format{"dns1123subdomain", "a DNS name (RFC 1123 subdomain)",
           "use lower-case letters, digits, '-' and '.', with a letter or digit at the ends and on "
           "both sides of every '.', at most 253 characters, like \"web-1.example.com\"",
           IsDns1123Subdomain},
    Format{"dns1035label", "a DNS label (RFC 1035)",
           "use lower-case letters, digits and '-', with a letter at the start and a letter or "
           "digit at the end, at most 63 characters, like \"web-1\"",
           IsDns1035Label},
    Format{"qualifiedname", "a qualified name",
           "use letters, digits, '-', '_' and '.', with a letter or digit at both ends, at most 63 "
           "characters, and before it, if you like, a DNS name and '/', like "
           "\"example.com/tier\"",
           IsQualifiedName},
    Format{"labelvalue", "a label value",
           "leave it empty, or use letters, digits, '-', '_' and '.', with a letter or digit at "
           "both ends, at most 63 characters, like \"v1.2_blue\"",
           IsLabelValue},
    Format{"envvarname", "a name of an environment variable",
           "use printable ASCII characters without '=', like \"LOG_LEVEL\"", IsEnvVarName},
    Format{"configmapkey", "a key of a ConfigMap or Secret",
           "use letters, digits, '-', '_' and '.', at most 253 characters, not \".\" and with no "
           "\"..\" at the start, like \"app.conf\"",
           IsConfigMapKey},
    Format{"portname", "a port name (IANA service name)",
           "use lower-case letters, digits and single '-' between them, with at least one letter, "
           "at most 15 characters, like \"http-alt\"",
           IsPortName},
    Format{"path", "a path",
           "write a path that is not empty and has no \"..\" step and no control character",
           IsPath},
    Format{"relativepath", "a relative path",
           "write a path that does not start with '/' and has no \"..\" step and no control "
           "character, like \"conf/app.ini\"",
           IsRelativePath},
    Format{"itempath", "a path in a volume",
           "write a path that does not start with '/' or \"..\" and has no \"..\" step and no "
           "control character, like \"conf/app.ini\"",
           IsItemPath},
    Format{"hostword", "a host name",
           "use letters, digits, '-', '_' and '.', at most 253 characters, like \"db.example.com\"",
           IsHostWord},
    Format{"word", "a word", "use printable ASCII characters without spaces", IsWord},
    Format{"ip", "an IP address", "write it like 10.0.0.7 (no leading zeros) or 2001:db8::7",
           IsIpAddress},
    Format{"cidr", "an address range (CIDR)", "write it like 10.0.0.0/8 or 2001:db8::/64", IsCidr},
};

const Format* FindFormat(std::string_view name) {
  const auto it = std::find_if(kFormats.begin(), kFormats.end(),
                               [&](const Format& format) { return format.name == name; });
  return it != kFormats.end() ? it : nullptr;
}

std::string Shown(std::string_view value) {
  if (value.size() <= kMaxShownValue) return '"' + std::string(value) + '"';
  return '"' + std::string(value.substr(0, kMaxShownValue)) + "...\" (" +
         std::to_string(value.size()) + " characters)";
}

}  // namespace

bool IsDns1123Label(std::string_view text) {
  return text.size() <= kMaxLabel && IsLabelOfAnyLength(text);
}

bool IsDns1123Subdomain(std::string_view text) {
  if (text.size() > kMaxSubdomain) return false;
  while (true) {
    const size_t dot = text.find('.');
    if (!IsLabelOfAnyLength(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

bool IsDns1035Label(std::string_view text) { return IsDns1123Label(text) && IsLower(text.front()); }

bool IsQualifiedName(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return IsNamePart(text);
  return IsDns1123Subdomain(text.substr(0, slash)) && IsNamePart(text.substr(slash + 1));
}

bool IsLabelValue(std::string_view text) { return text.empty() || IsNamePart(text); }

bool IsEnvVarName(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](char c) { return c >= ' ' && c <= '~' && c != '='; });
}

bool IsConfigMapKey(std::string_view text) {
  return !text.empty() && text.size() <= kMaxSubdomain && text != "." && !text.starts_with("..") &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return IsAlnum(c) || c == '-' || c == '_' || c == '.'; });
}

bool IsPortName(std::string_view text) {
  return text.size() <= kMaxPortName && IsLabelOfAnyLength(text) &&
         std::any_of(text.begin(), text.end(), IsLower) &&
         text.find("--") == std::string_view::npos;
}

bool IsGitRef(std::string_view text) {
  if (!text.starts_with("refs/") || text.size() > kMaxGitRefBytes || text.back() == '.')
    return false;
  if (text.find("..") != text.npos || text.find("@{") != text.npos) return false;
  if (!std::all_of(text.begin(), text.end(), [](char c) {
        return static_cast<unsigned char>(c) > 0x20 && c != 0x7f &&
               std::string_view("~^:?*[\\").find(c) == std::string_view::npos;
      })) {
    return false;
  }
  size_t steps = 0;
  while (true) {
    const std::string_view step = text.substr(0, text.find('/'));
    if (step.empty() || step.front() == '.' || step.ends_with(".lock")) return false;
    ++steps;
    if (step.size() == text.size()) return steps >= 3;
    text.remove_prefix(step.size() + 1);
  }
}

bool IsFormat(std::string_view format) { return FindFormat(format) != nullptr; }

std::string Explain(std::string_view format) {
  const Format* found = FindFormat(format);
  return found ? std::string(found->demand) : std::string();
}

std::optional<std::string> CheckFormat(std::string_view format, std::string_view value) {
  const Format* found = FindFormat(format);
  if (found == nullptr || found->fits(value)) return std::nullopt;
  return Shown(value) + " is not " + std::string(found->what) + ": " + std::string(found->demand);
}

// Kubernetes' rule for endpoints: link-local are the addresses of one network, metadata servers of
// clouds among them.
std::string_view WhySpecial(std::string_view address) {
  constexpr std::string_view kUnspecified = "is the unspecified address",
                             kLoopback = "is a loopback address",
                             kLinkLocal = "is a link-local address, as of a cloud's metadata",
                             kMulticast = "is a multicast address";
  unsigned char bytes[16];
  const std::string text(address.substr(0, address.find('\0')));
  if (inet_pton(AF_INET6, text.c_str(), bytes) == 1) {
    constexpr unsigned char kV4Mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
    if (std::equal(std::begin(kV4Mapped), std::end(kV4Mapped), bytes)) {
      std::copy(bytes + 12, bytes + 16, bytes);
    } else {
      const bool zeros = std::all_of(bytes, bytes + 15, [](unsigned char b) { return b == 0; });
      if (zeros && bytes[15] <= 1) return bytes[15] == 0 ? kUnspecified : kLoopback;
      if (bytes[0] == 0xFE && (bytes[1] & 0xC0) == 0x80) return kLinkLocal;
      return bytes[0] == 0xFF ? kMulticast : std::string_view();
    }
  } else if (inet_pton(AF_INET, text.c_str(), bytes) != 1) {
    return {};
  }
  if (bytes[0] == 0) return kUnspecified;
  if (bytes[0] == 127) return kLoopback;
  if (bytes[0] == 169 && bytes[1] == 254) return kLinkLocal;
  return (bytes[0] & 0xF0) == 0xE0 ? kMulticast : std::string_view();
}

}  // namespace manifests

// The named syntaxes of Kubernetes: names, labels, keys, ports, paths, addresses.
//
// Pure functions; any thread. Rules:
// https://kubernetes.io/docs/concepts/overview/working-with-objects/names/ and .../labels/; lengths
// count bytes. A Field of the schema names its syntax in `format`.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace manifests {

inline bool IsDigit(char c) { return c >= '0' && c <= '9'; }  // in every locale

bool IsDns1123Label(std::string_view text);      // "web-1": most names that become host names
bool IsDns1123Subdomain(std::string_view text);  // "web.example.com": most object names
bool IsDns1035Label(std::string_view text);      // a label that starts with a letter: Services
bool IsQualifiedName(std::string_view text);     // "app" or "example.com/app": label keys, taints
bool IsLabelValue(std::string_view text);        // may be empty
bool IsEnvVarName(std::string_view text);        // any printable ASCII but '=', as since v1.34
bool IsConfigMapKey(std::string_view text);      // also a file name in a mounted volume
bool IsPortName(std::string_view text);          // an IANA service name
// "refs/heads/main", as git check-ref-format has it, in at most kMaxGitRefBytes.
bool IsGitRef(std::string_view text);
inline constexpr size_t kMaxGitRefBytes = 240;  // it becomes a file name with ".lock" behind

// Why traffic must not be sent to an address ("is a loopback address"); empty for one of a host,
// and for what is no address.
std::string_view WhySpecial(std::string_view address);

// The names that a Field's `format` may have: dns1123label, dns1123subdomain, dns1035label,
// qualifiedname, labelvalue, envvarname, configmapkey, portname, path (no ".." step, no control
// character), relativepath (that, and not absolute), itempath (that, and no ".." at the start),
// hostword, word (no spaces), ip (v4 or v6), cidr.
bool IsFormat(std::string_view format);

// What the format demands: "use lower-case letters, ...". Empty for an unknown format.
std::string Explain(std::string_view format);

// Why `value` breaks the format, naming the value and what to do; nothing if it fits. An unknown
// format demands nothing.
std::optional<std::string> CheckFormat(std::string_view format, std::string_view value);

}  // namespace manifests

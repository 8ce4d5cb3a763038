// The words of an HTTP probe: what is sent, and what an answer says.
//
// Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "nodeagent/pods/probe.h"

namespace nodeagent {

inline constexpr char kProbeUserAgent[] = "kube-probe/1.35";  // as servers know it from Kubernetes

std::string ProbeRequest(const Check& check);

struct ProbeAnswer {
  int status = 0;        // 0: it is not HTTP
  std::string location;  // where a redirect leads to; else empty
};
// What an answer says that has come so far; nothing while that is too little to tell. `ended`: no
// more will come.
std::optional<ProbeAnswer> ReadProbeAnswer(std::string_view text, bool ended);

// Where `location` leads whom `check` asked; nothing if that is another host, and a check of port 0
// if it names no place.
std::optional<Check> FollowRedirect(const Check& check, std::string_view location);

// A probe goes no further, as in Kubernetes.
inline constexpr int kMaxProbeRedirects = 10;
// Bytes of an answer that are read in search of its status and of where it leads to.
inline constexpr size_t kMaxProbeAnswer = 8 << 10;

}  // namespace nodeagent

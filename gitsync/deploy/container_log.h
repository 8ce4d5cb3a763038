// The last words of a container that crashed: for the reply to a push, and shortened for the
// record. Pure, but for the seam.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "state/pod_stream.h"
#include "state/view.h"

namespace gitsync {

inline constexpr size_t kMaxLogLines = 10;        // in the reply to a push
inline constexpr size_t kMaxLogLineBytes = 300;   // of each; what is longer ends in "..."
inline constexpr size_t kMaxLogTailBytes = 8192;  // asked for
inline constexpr size_t kMaxRecordedLines = 3;    // in conditions, notes and webhooks
inline constexpr size_t kMaxRecordedBytes = 400;
inline constexpr size_t kMinMaskedBytes = 4;       // of a Secret's value; shorter ones are words
inline constexpr size_t kMaxMaskedPieces = 2'000;  // values and lines of them; with more, no log

// Asks the pod's node for the end of a log: at most kMaxLogLines and kMaxLogTailBytes. `done` is
// called at most once, on the loop, with what there is. Loop only.
using ContainerLog =
    std::function<void(const state::PodStream&, std::function<void(std::string text)> done)>;

// The log without the values of the Secrets that the pod names, as they are, line by line, in JSON
// and in base64: "***" stands for each. What a container said goes into Git, and stays there.
std::string WithoutSecrets(std::string_view log, const state::Object& pod, const state::View& view);

// The last lines that are not empty, each fit to print.
std::vector<std::string> LastLines(std::string_view text);

// " | " between the last of them: "; log: starting | no such table". Empty for no lines.
std::string RecordedLines(const std::vector<std::string>& lines);

}  // namespace gitsync

// The sink of the log: lines on standard error, through spdlog.
//
// Text, for people and logfmt readers:
//   time=2026-11-22T23:48:00.123Z level=info msg="pod bound" pod=default/web node=n1
// or one JSON object a line with the same keys.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "base/log.h"

namespace base {

// Sends lines of `least` and above to standard error. Once, before threads start; from then on any
// thread may log.
void InitLogging(LogLevel least, bool json);

inline constexpr size_t kMaxLogValueBytes = 4096;  // what is longer is cut

// A line without its time and newline, and, for JSON, without its braces.
std::string FormatLogLine(LogLevel level, std::string_view message,
                          std::initializer_list<LogField> fields, bool json);

}  // namespace base

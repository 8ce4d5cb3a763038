// Logging: a constant message plus key=value pairs. The sink (base/edge/log.cc, over spdlog) is set
// once at start.
//
// Any thread. Values are ids, counts and reasons, never bodies; a Secret's content is never a
// value.
//   base::LogInfo("pod bound", {{"pod", key.ToString()}, {"node", node}});
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace base {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

struct LogField {
  std::string_view key;
  std::string value;
};

void Log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields);

inline void LogDebug(std::string_view message, std::initializer_list<LogField> fields = {}) {
  Log(LogLevel::kDebug, message, fields);
}
inline void LogInfo(std::string_view message, std::initializer_list<LogField> fields = {}) {
  Log(LogLevel::kInfo, message, fields);
}
inline void LogWarning(std::string_view message, std::initializer_list<LogField> fields = {}) {
  Log(LogLevel::kWarning, message, fields);
}
inline void LogError(std::string_view message, std::initializer_list<LogField> fields = {}) {
  Log(LogLevel::kError, message, fields);
}

// What the process does with a line; null drops it. Set before threads start.
using LogSink = void (*)(LogLevel level, std::string_view message,
                         std::initializer_list<LogField> fields);
void SetLogSink(LogSink sink);

}  // namespace base

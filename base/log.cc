#include "base/log.h"

namespace base {
namespace {

LogSink g_sink = nullptr;  // the one process-wide setting: where lines go

}  // namespace

void SetLogSink(LogSink sink) { g_sink = sink; }

void Log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) {
  if (g_sink != nullptr) g_sink(level, message, fields);
}

}  // namespace base

// A value is written bare if it is one printable word, else quoted as JSON quotes it, so that a
// newline in a value can never forge a line. Bytes that are not UTF-8, and what no terminal should
// get (base/printable.h), become U+FFFD.
#include "base/edge/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <memory>

#include "base/json.h"
#include "base/printable.h"
#include "base/utf8.h"

namespace base {
namespace {

bool g_json = false;  // set with the sink, before threads start

std::string_view LevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug: return "debug";
    case LogLevel::kInfo: return "info";
    case LogLevel::kWarning: return "warning";
    case LogLevel::kError: return "error";
  }
  return "error";
}

spdlog::level::level_enum ToSpdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug: return spdlog::level::debug;
    case LogLevel::kInfo: return spdlog::level::info;
    case LogLevel::kWarning: return spdlog::level::warn;
    case LogLevel::kError: return spdlog::level::err;
  }
  return spdlog::level::err;
}

// `text` as valid UTF-8 of at most kMaxLogValueBytes. Of controls, those that are quoted stay.
std::string Printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    if (out.size() >= kMaxLogValueBytes) return out + "...";
    const size_t length = Utf8Length(text);
    const uint32_t code = length == 0 ? 0 : DecodeUtf8(text.substr(0, length));
    if (length == 0 || (code >= 0x7F && !IsPrintable(code))) {
      AppendUtf8(0xFFFD, out);
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return out;
}

bool IsBareWord(std::string_view text) {
  const auto bare = [](char c) { return c > ' ' && c < 0x7F && c != '"' && c != '=' && c != '\\'; };
  return !text.empty() && std::all_of(text.begin(), text.end(), bare);
}

void AppendField(std::string_view key, std::string_view value, bool json, std::string& out) {
  const std::string printable = Printable(value);
  if (json) {
    if (!out.empty()) out += ',';
    AppendQuoted(key, out);
    out += ':';
    AppendQuoted(printable, out);
    return;
  }
  if (!out.empty()) out += ' ';
  out += key;
  out += '=';
  if (IsBareWord(printable)) {
    out += printable;
  } else {
    AppendQuoted(printable, out);
  }
}

void WriteLine(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) {
  spdlog::logger* logger = spdlog::default_logger_raw();
  if (!logger->should_log(ToSpdlog(level))) return;
  const std::string line = FormatLogLine(level, message, fields, g_json);
  logger->log(ToSpdlog(level), spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace

std::string FormatLogLine(LogLevel level, std::string_view message,
                          std::initializer_list<LogField> fields, bool json) {
  std::string line;
  AppendField("level", LevelName(level), json, line);
  AppendField("msg", message, json, line);
  for (const LogField& field : fields) AppendField(field.key, field.value, json, line);
  return line;
}

void InitLogging(LogLevel least, bool json) {
  g_json = json;
  auto logger =
      std::make_shared<spdlog::logger>("plumb", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_level(ToSpdlog(least));
  const std::string time = "%Y-%m-%dT%H:%M:%S.%eZ";
  logger->set_pattern(json ? "{\"time\":\"" + time + "\",%v}" : "time=" + time + " %v",
                      spdlog::pattern_time_type::utc);
  spdlog::set_default_logger(std::move(logger));
  SetLogSink(&WriteLine);
}

}  // namespace base

#include "plumb/reports/status_text.h"

#include <algorithm>

#include "base/printable.h"

namespace plumb {
namespace {

using base::Json;

// Names, reasons and messages are others' words.
std::string Text(const Json& value) { return base::OneLine(value.AsString()); }

// A sign, in colour where there is one: it reads without.
std::string Sign(std::string_view level, const Style& style) {
  if (level == "failed") return style.Bad("✗");
  if (level == "healthy") return style.Good("✓");
  if (level == "progressing") return style.Busy("…");
  return style.Faint("·");
}

// "main@sha1:0123456789ab..." as "main@0123456".
std::string ShortRevision(const std::string& revision) {
  const size_t at = revision.find('@'), colon = revision.rfind(':');
  if (at == std::string::npos || colon == std::string::npos || colon < at) return revision;
  return revision.substr(0, at + 1) + revision.substr(colon + 1, 7);
}

std::string Plural(int64_t count, const std::string& word) {
  return std::to_string(count) + " " + word + (count == 1 ? "" : "s");
}

std::string Ago(const Json& time, base::WallTime now) {
  const std::string age = AgeText(time.AsString(), now);
  return age.empty() ? "" : age + " ago";
}

std::string Head(const Json& report, const std::string& server, const Style& style) {
  int64_t ready = 0;
  const Json::Array& nodes = report["nodes"].Elements();
  for (const Json& node : nodes) ready += node["ready"].AsBool();
  const int64_t all = static_cast<int64_t>(nodes.size()) + report["more_nodes"].AsInt();
  std::string count = std::to_string(ready) + " of " + std::to_string(all) + " nodes ready";
  count = all == 0       ? style.Busy("no nodes yet; plumb agent --help says how one joins")
          : ready == all ? style.Good(count)
                         : style.Bad(count);
  return style.Strong("plumb " + Text(report["version"])) + " at " + server + ", " + count + "\n";
}

std::string Repositories(const Json& report, base::WallTime now, const Style& style) {
  if (report["repositories"].empty()) {
    return "No repository yet. 'plumb repo create NAME' makes one; a push to it is a deploy.\n";
  }
  std::vector<std::vector<std::string>> rows = {{"  " + style.Faint("REPOSITORY"),
                                                 style.Faint("REVISION"), style.Faint("STATE"),
                                                 style.Faint("SINCE"), style.Faint("OBJECTS")}};
  std::vector<std::string> why;
  for (const Json& each : report["repositories"].Elements()) {
    const std::string_view phase = each["phase"].AsString();
    const std::string revision = Text(each["revision"]);
    const std::string of = each.Has("repository") ? " (" + Text(each["repository"]) + ")" : "";
    rows.push_back({Sign(phase, style) + " " + Text(each["name"]) + of,
                    revision.empty() ? "-" : ShortRevision(revision), std::string(phase),
                    Ago(each["since"], now), std::to_string(each["objects"].AsInt())});
    if (!each.Has("message")) continue;
    why.push_back("  " + Text(each["name"]) + ": " + Text(each["message"]) + "\n");
  }
  std::string text = TableText(rows);
  for (const std::string& line : why) text += line;
  return text;
}

std::string Objects(const Json& report, const Style& style) {
  std::vector<std::vector<std::string>> rows;
  for (const Json& each : report["unhealthy"].Elements()) {
    rows.push_back(
        {Sign(each["level"].AsString(), style) + " " + Text(each["object"]), Text(each["reason"])});
  }
  const int64_t healthy = report["healthy"].AsInt();
  if (rows.empty()) return Sign("healthy", style) + " all objects are healthy\n";
  std::string text = TableText(rows);
  if (const int64_t more = report["more_unhealthy"].AsInt(); more > 0) {
    text += "  and " + std::to_string(more) + " more that are not healthy\n";
  }
  return text +
         style.Faint("  " + Plural(healthy, "other object") +
                     (healthy == 1 ? " is healthy" : " are healthy")) +
         "\n";
}

std::string Nodes(const Json& report, base::WallTime now, const Style& style) {
  std::vector<std::vector<std::string>> rows;
  for (const Json& node : report["nodes"].Elements()) {
    const bool ready = node["ready"].AsBool();
    rows.push_back({Sign(ready ? "healthy" : "failed", style) + " " + Text(node["name"]),
                    ready ? "ready" : "not ready", AgeText(node["since"].AsString(), now),
                    Text(node["address"]), Plural(node["pods"].AsInt(), "pod"),
                    Text(node["reason"])});
  }
  return TableText(rows);
}

void AppendTree(const Json& node, const std::string& first, const std::string& rest,
                base::WallTime now, const Style& style,
                std::vector<std::vector<std::string>>& rows) {
  std::string notes;
  for (const Json& note : node["notes"].Elements()) notes += "  " + Text(note);
  rows.push_back(
      {style.Faint(first) + Sign(node["level"].AsString(), style) + " " + Text(node["object"]),
       Text(node["reason"]) + style.Faint(notes)});
  const Json::Array& children = node["children"].Elements();
  const int64_t more = node["more"].AsInt();
  const std::string bar = children.empty() && more == 0 ? "  " : "│ ";
  for (const Json& warning : node["warnings"].Elements()) {
    std::string line = rest + bar + "! " + Text(warning["reason"]);
    const int64_t count = warning["count"].AsInt(1);
    std::string message = Text(warning["message"]);
    if (count > 1) message += " (" + std::to_string(count) + " times)";
    rows.push_back({style.Faint(line), message + style.Faint("  " + Ago(warning["last"], now))});
  }
  for (size_t i = 0; i < children.size(); ++i) {
    const bool last = i + 1 == children.size() && more == 0;
    AppendTree(children[i], rest + (last ? "└─" : "├─"), rest + (last ? "  " : "│ "), now, style,
               rows);
  }
  if (more > 0) rows.push_back({rest + "└─and " + std::to_string(more) + " more"});
}

}  // namespace

std::string StatusText(const Json& report, const std::string& server, base::WallTime now,
                       const Style& style) {
  if (report.Has("object")) {
    std::vector<std::vector<std::string>> rows;
    AppendTree(report, "", "", now, style, rows);
    return TableText(rows);
  }
  std::string text = Head(report, server, style) + "\n";
  if (report["note"].IsString()) text += style.Busy(Text(report["note"])) + "\n\n";
  text += Repositories(report, now, style) + "\n";
  text += Objects(report, style);
  if (!report["nodes"].empty()) text += "\n" + Nodes(report, now, style);
  return text;
}

}  // namespace plumb

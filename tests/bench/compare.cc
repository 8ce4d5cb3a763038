#include "tests/bench/compare.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <optional>
#include <utility>

#include "base/json.h"

namespace bench {
namespace {

constexpr std::array<std::string_view, 3> kMeasured = {"bytes", "json_bytes", "samples"};
constexpr double kMuchWorse = 1.1;

std::string TextOf(const base::Json& value) {
  return value.IsString() ? std::string(value.AsString()) : value.ToString();
}

base::Result<Row> ReadRow(std::string_view line, size_t number) {
  const base::Result<base::Json> parsed = base::ParseJson(line);
  const auto is_number = [](const base::Json& json) {
    return json.IsInt() || json.type() == base::Json::Type::kDouble;
  };
  const bool is_row = parsed.ok() && (*parsed)["name"].IsString() && is_number((*parsed)["value"]);
  if (!is_row) {
    return base::Status(base::Code::kInvalid,
                        "line " + std::to_string(number) + " is no figure of ci/bench");
  }
  const base::Json& figure = *parsed;
  Row row{std::string(figure["name"].AsString()), "", TextOf(figure["unit"]),
          figure["value"].AsDouble()};
  for (const auto& [name, value] : figure["parameters"].Members()) {
    if (std::find(kMeasured.begin(), kMeasured.end(), name) != kMeasured.end()) continue;
    row.parameters += (row.parameters.empty() ? "" : " ") + name + "=" + TextOf(value);
  }
  if (figure["compared_with"].IsString()) {
    row.parameters +=
        (row.parameters.empty() ? "" : " ") + ("(beside " + TextOf(figure["compared_with"]) + ")");
  }
  return row;
}

bool IsOf(const Row& row, const std::vector<std::string_view>& names) {
  const std::string_view benchmark = std::string_view(row.name).substr(0, row.name.find('.'));
  return names.empty() || std::find(names.begin(), names.end(), benchmark) != names.end();
}

std::string Shown(std::optional<double> value) {
  if (!value) return "none";
  char text[32];
  std::snprintf(text, sizeof(text), "%.4g", *value);
  return text;
}

std::string Line(const Row& row, std::optional<double> before, std::optional<double> now) {
  std::optional<double> ratio;
  if (before && now && *before != 0) ratio = *now / *before;
  const bool more_is_better = row.unit.ends_with("/s");
  const bool worse = ratio && (more_is_better ? *ratio < 1 / kMuchWorse : *ratio > kMuchWorse);
  std::string line = row.name;
  if (!row.parameters.empty()) line += "  " + row.parameters;
  line += "  before " + Shown(before) + "  now " + Shown(now) + " " + row.unit;
  if (ratio) line += "  ratio " + Shown(ratio);
  if (worse) line += "  worse by more than a tenth";
  if (!before) line += "  (new)";
  if (!now) line += "  (missing)";
  return line + "\n";
}

}  // namespace

base::Result<std::vector<Row>> ReadRows(std::string_view text) {
  std::vector<Row> rows;
  for (size_t number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty()) continue;
    ASSIGN_OR_RETURN(Row row, ReadRow(line, number));
    rows.push_back(std::move(row));
  }
  return rows;
}

std::string CompareRows(const std::vector<Row>& before, const std::vector<Row>& now,
                        const std::vector<std::string_view>& names) {
  using Id = std::pair<std::string, std::string>;
  std::map<Id, const Row*> earlier;
  for (const Row& row : before) earlier[{row.name, row.parameters}] = &row;
  std::string text;
  for (const Row& row : now) {
    const auto found = earlier.find({row.name, row.parameters});
    std::optional<double> value;
    if (found != earlier.end()) value = found->second->value;
    earlier.erase({row.name, row.parameters});
    if (IsOf(row, names)) text += Line(row, value, row.value);
  }
  for (const Row& row : before) {
    if (earlier.count({row.name, row.parameters}) != 0 && IsOf(row, names))
      text += Line(row, row.value, std::nullopt);
  }
  return text;
}

}  // namespace bench

#include "tests/bench/figure.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "base/status.h"

namespace bench {
namespace {

// Four digits say all that a measurement on a shared machine knows.
double Rounded(double value) {
  if (value == 0 || !std::isfinite(value)) return 0;
  const double scale = std::pow(10, 3 - std::floor(std::log10(std::fabs(value))));
  return scale > 1 ? std::round(value * scale) / scale : std::round(value);
}

std::string Number(std::optional<double> value) {
  if (!value) return "null";
  std::string text;
  base::AppendNumber(Rounded(*value), text);
  return text;
}

std::string Quoted(const std::string& text) {
  if (text.empty()) return "null";
  std::string quoted;
  base::AppendQuoted(text, quoted);
  return quoted;
}

std::string AimText(const Aim& aim) {
  if (aim.of == Aim::Of::kNothing) return "";
  return std::string(aim.of == Aim::Of::kRatio ? "ratio" : "value") +
         (aim.at_least ? " >= " : " <= ") + Number(aim.bound);
}

std::string Met(const Aim& aim, double value, std::optional<double> ratio) {
  const std::optional<double> judged = aim.of == Aim::Of::kRatio ? ratio : value;
  if (aim.of == Aim::Of::kNothing || !judged) return "null";
  return (aim.at_least ? *judged >= aim.bound : *judged <= aim.bound) ? "true" : "false";
}

}  // namespace

std::string FormatFigure(const Figure& figure) {
  std::optional<double> ratio;
  if (figure.compared_value.value_or(0) != 0) ratio = figure.value / *figure.compared_value;
  std::string line = "{\"name\":" + Quoted(figure.name) + ",\"parameters\":{";
  for (const auto& [name, value] : figure.parameters) {
    if (line.back() != '{') line += ',';
    base::AppendQuoted(name, line);
    line += ':' + value.ToString();
  }
  line += "},\"value\":" + Number(figure.value) + ",\"unit\":" + Quoted(figure.unit) +
          ",\"compared_with\":" + Quoted(figure.compared_with) +
          ",\"compared_value\":" + Number(figure.compared_value) + ",\"ratio\":" + Number(ratio) +
          ",\"aim\":" + Quoted(AimText(figure.aim)) +
          ",\"met\":" + Met(figure.aim, figure.value, ratio) + "}";
  return line;
}

void Report(const Figure& figure) {
  std::printf("%s\n", FormatFigure(figure).c_str());
  std::fflush(stdout);
}

double Median(std::vector<double> values) { return Percentile(std::move(values), 50); }

double Percentile(std::vector<double> values, double percent) {
  CHECK(!values.empty());
  std::sort(values.begin(), values.end());
  const double rank = std::ceil(percent / 100 * static_cast<double>(values.size()));
  return values[static_cast<size_t>(std::max(rank, 1.0)) - 1];
}

}  // namespace bench

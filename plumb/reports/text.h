// What plumb prints for people: tables, ages, colours.
//
// Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace plumb {

// Wraps text in a terminal's colours, or leaves it as it is.
class Style {
 public:
  explicit Style(bool colour = false) : colour_(colour) {}
  std::string Good(std::string_view text) const { return Paint("32", text); }
  std::string Bad(std::string_view text) const { return Paint("31", text); }
  std::string Busy(std::string_view text) const { return Paint("33", text); }
  std::string Strong(std::string_view text) const { return Paint("1", text); }
  std::string Faint(std::string_view text) const { return Paint("2", text); }
  bool colour() const { return colour_; }

 private:
  std::string Paint(std::string_view code, std::string_view text) const;
  bool colour_;
};

// Columns of equal width with three spaces between; a row may be shorter. Colours and characters
// beyond ASCII count as what they take on the screen.
std::string TableText(const std::vector<std::vector<std::string>>& rows);

// "12s", "5m", "3h", "2d": how long ago `then` (RFC 3339) was; empty if it is no time.
std::string AgeText(std::string_view then, base::WallTime now);

}  // namespace plumb

// Quantity: resource.Quantity of Kubernetes, exact to a thousandth ("500m", "1Gi", "1.5", "2e3").
// Values; any thread. Finer fractions are rounded up, as Kubernetes does for resources.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/document.h"
#include "base/json.h"
#include "base/status.h"

namespace manifests {

class Quantity {
 public:
  constexpr Quantity() = default;
  static base::Result<Quantity> Parse(std::string_view text);
  // A string or number of a document; zero if it is missing or malformed (stored objects were
  // validated).
  static Quantity Of(base::Value value);
  static constexpr Quantity Units(int64_t units) {
    return Quantity(static_cast<__int128>(units) * 1000);
  }
  static constexpr Quantity Milli(int64_t milli) { return Quantity(milli); }

  int64_t Value() const;       // whole units, rounded up, saturating
  int64_t MilliValue() const;  // thousandths, saturating
  bool IsZero() const { return milli_ == 0; }
  bool IsNegative() const { return milli_ < 0; }
  // The canonical form in plain decimal: "500m", "2", "1073741824"; with `binary` the largest exact
  // suffix: "1Gi".
  std::string ToString(bool binary = false) const;
  // For people: "3.1Gi", "1500m".
  std::string ToHuman() const;

  constexpr auto operator<=>(const Quantity&) const = default;
  Quantity operator+(Quantity other) const { return Quantity(milli_ + other.milli_); }
  Quantity operator-(Quantity other) const { return Quantity(milli_ - other.milli_); }
  Quantity operator*(int64_t factor) const { return Quantity(milli_ * factor); }

 private:
  explicit constexpr Quantity(__int128 milli) : milli_(milli) {}
  __int128 milli_ = 0;
};

// True if both texts mean the same amount ("1Gi" and "1024Mi"); malformed texts are compared as
// texts.
bool SameQuantity(std::string_view a, std::string_view b);

}  // namespace manifests

#include "base/testing/random_json.h"

#include <cmath>
#include <cstring>
#include <string_view>

#include "base/utf8.h"

namespace base {
namespace {

std::string RandomText(Rng& rng) {
  std::string text;
  for (uint64_t i = rng.Below(6); i > 0; --i) {
    uint32_t code = static_cast<uint32_t>(rng.Below(rng.Chance(3, 4) ? 0x80 : 0x110000));
    if (code >= 0xD800 && code < 0xE000) code = '"';
    AppendUtf8(code, text);
  }
  return text;
}

double RandomDouble(Rng& rng) {
  const uint64_t bits = rng.Next();
  double value;
  std::memcpy(&value, &bits, sizeof value);
  return std::isfinite(value) ? value : 0.5;
}

}  // namespace

Json RandomJson(Rng& rng, int depth) {
  switch (rng.Below(depth > 0 ? 8 : 5)) {
    case 0: return Json();
    case 1: return Json(rng.Chance(1, 2));
    case 2: return Json(static_cast<int64_t>(rng.Next()) >> rng.Below(64));
    case 3: return Json(RandomDouble(rng));
    case 4: return Json(RandomText(rng));
    case 5: {
      Json array = Json::MakeArray();
      for (uint64_t i = rng.Below(5); i > 0; --i) array.Append(RandomJson(rng, depth - 1));
      return array;
    }
    default: {
      Json object = Json::MakeObject();
      for (uint64_t i = rng.Below(5); i > 0; --i)
        object.Set(RandomText(rng), RandomJson(rng, depth - 1));
      return object;
    }
  }
}

std::string Damaged(Rng& rng, std::string text) {
  constexpr std::string_view kTelling = "{}[]\",:\\0-e.nu ";  // bytes that mean something to JSON
  for (uint64_t i = 1 + rng.Below(3); i > 0; --i) {
    const size_t at = rng.Below(text.size() + 1);
    const char byte =
        rng.Chance(1, 2) ? kTelling[rng.Below(kTelling.size())] : static_cast<char>(rng.Below(256));
    if (rng.Chance(1, 3)) {
      text.insert(at, 1, byte);
    } else if (at < text.size() && rng.Chance(1, 2)) {
      text.erase(at, 1);
    } else if (at < text.size()) {
      text[at] = byte;
    }
  }
  return text;
}

}  // namespace base

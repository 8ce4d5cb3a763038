#include "manifests/patch/list_merge.h"

#include <algorithm>
#include <map>

namespace manifests {
namespace {

using base::Json;

// The first index of each key.
std::map<std::string_view, size_t> Positions(const std::vector<std::string>& keys) {
  std::map<std::string_view, size_t> positions;
  for (size_t i = 0; i < keys.size(); ++i) positions.emplace(keys[i], i);
  return positions;
}

}  // namespace

Place Place::Member(std::string_view name) const {
  if (IsMap()) return Place{field->message, field, Shape::kSingle};
  if (shape != Shape::kSingle || message == nullptr) return Place{};
  const Field* member = message->Find(name);
  return member ? Place{member->message, member, member->shape} : Place{};
}

Place Place::Element() const {
  return field != nullptr && shape == Shape::kList ? Place{message, field, Shape::kSingle}
                                                   : Place{};
}

bool Place::IsQuantity() const {
  return field != nullptr && shape == Shape::kSingle && field->scalar == Scalar::kQuantity;
}

bool Place::MergesElements() const {
  return field != nullptr && shape == Shape::kList && field->patch_merge;
}

std::optional<std::string> ElementKey(const std::vector<std::string>& keys, const Place& element,
                                      const Json& value) {
  const auto is_scalar = [](const Json& json) { return !json.IsArray() && !json.IsObject(); };
  if (keys.empty()) return is_scalar(value) ? std::optional(value.ToString()) : std::nullopt;
  std::string text;
  for (const std::string& key : keys) {
    const Json* part = value.Find(key);
    if (part == nullptr || part->IsNull()) {
      const Field* field = element.message ? element.message->Find(key) : nullptr;
      if (field == nullptr || !field->default_value) return std::nullopt;
      part = &*field->default_value;
    }
    if (!is_scalar(*part)) return std::nullopt;
    part->AppendTo(text);
    text += ' ';
  }
  return text;
}

Json::Array Arrange(Json::Array elements, const std::vector<std::string>& keys,
                    const std::vector<std::string>& wanted,
                    const std::vector<std::string>& server) {
  const auto wanted_at = Positions(wanted);
  const auto server_at = Positions(server);
  std::vector<size_t> named;
  std::vector<size_t> others;
  for (size_t i = 0; i < elements.size(); ++i)
    (wanted_at.contains(keys[i]) ? named : others).push_back(i);
  std::stable_sort(named.begin(), named.end(), [&](size_t a, size_t b) {
    return wanted_at.at(keys[a]) < wanted_at.at(keys[b]);
  });

  Json::Array arranged;
  size_t next_other = 0;
  for (const size_t i : named) {
    const auto named_at = server_at.find(keys[i]);
    while (next_other < others.size()) {
      const auto other_at = server_at.find(keys[others[next_other]]);
      const bool before = named_at != server_at.end() && other_at != server_at.end() &&
                          other_at->second < named_at->second;
      if (!before) break;
      arranged.push_back(std::move(elements[others[next_other++]]));
    }
    arranged.push_back(std::move(elements[i]));
  }
  for (; next_other < others.size(); ++next_other)
    arranged.push_back(std::move(elements[others[next_other]]));
  return arranged;
}

}  // namespace manifests

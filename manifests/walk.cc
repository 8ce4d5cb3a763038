#include "manifests/walk.h"

namespace manifests {

void ForEachField(const Message& message, const std::function<void(const Field&)>& visit) {
  for (const Field& field : message.fields) {
    if (field.inlined) {
      ForEachField(*field.message, visit);
    } else {
      visit(field);
    }
  }
}

std::string Join(std::string_view path, std::string_view field) {
  std::string joined(path);
  if (!joined.empty()) joined += '.';
  joined += field;
  return joined;
}

std::string Join(std::string_view path, size_t index) {
  return std::string(path) + "[" + std::to_string(index) + "]";
}

std::string JoinKey(std::string_view path, std::string_view key) {
  std::string joined(path);
  joined.append(1, '[').append(key).append(1, ']');
  return joined;
}

}  // namespace manifests

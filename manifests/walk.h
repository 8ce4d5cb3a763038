// Small steps that every walk over an object and its schema takes. Pure.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "manifests/schema.h"

namespace manifests {

// Every field that an object of this message may have, those of inlined messages in place of them.
void ForEachField(const Message& message, const std::function<void(const Field&)>& visit);

// "spec" and "replicas" -> "spec.replicas"; the root's path is empty.
std::string Join(std::string_view path, std::string_view field);
std::string Join(std::string_view path, size_t index);             // "ports[0]"
std::string JoinKey(std::string_view path, std::string_view key);  // "data[app.conf]"

// True for what means the same as leaving the field out: missing or null.
inline bool IsAbsent(const base::Json* value) { return value == nullptr || value->IsNull(); }

}  // namespace manifests

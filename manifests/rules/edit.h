// Steps of a rule that fills in defaults: they look before they touch, because what users wrote may
// have any shape.
#pragma once

#include <string_view>
#include <utility>

#include "base/json.h"
#include "manifests/walk.h"

namespace manifests {

// The member if it is an object, else null.
inline base::Json* ObjectAt(base::Json& object, std::string_view key) {
  base::Json* found = object.Find(key);
  return found != nullptr && found->IsObject() ? found : nullptr;
}

// Sets a member that is absent. `object` is an object.
inline void SetIfAbsent(base::Json& object, std::string_view key, base::Json value) {
  if (IsAbsent(object.Find(key))) object.Set(key, std::move(value));
}

// Calls visit(element) for each object in the list `key`.
template <typename Visit>
void ForEachObject(base::Json& object, std::string_view key, Visit visit) {
  base::Json* list = object.Find(key);
  if (list == nullptr || !list->IsArray()) return;
  for (base::Json& element : list->MutableElements()) {
    if (element.IsObject()) visit(element);
  }
}

}  // namespace manifests

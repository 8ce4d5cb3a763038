#include "manifests/kinds/references.h"

#include "manifests/walk.h"

namespace manifests {

std::string FieldPath::ToString() const {
  if (parent_ == nullptr) return "";
  const std::string path = parent_->ToString();
  return field_.empty() ? Join(path, index_) : Join(path, field_);
}

}  // namespace manifests

#include "manifests/versions.h"

#include <utility>

namespace manifests {

base::Json Convert(base::Json object, const Kind& to) {
  object.Set("apiVersion", to.ApiVersion());
  return object;
}

const Kind& StorageVersion(const Schema& schema, const Kind& kind) {
  const Kind* stored = schema.FindByResource(kind.Resource());
  return stored != nullptr ? *stored : kind;
}

}  // namespace manifests

// Objects and lists in the form that the client asked for. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "manifests/schema.h"
#include "state/api/media.h"
#include "state/object.h"

namespace state {

std::string RenderObject(const manifests::Kind& kind, const ObjectPtr& object,
                         const Representation& as, base::WallTime now, bool with_headers = true);

struct ListMeta {
  Revision revision = 0;
  std::string continue_token;
  std::optional<int64_t> remaining;
};
std::string RenderList(const manifests::Kind& kind, const std::vector<ObjectPtr>& objects,
                       const ListMeta& meta, const Representation& as, base::WallTime now);

// An object that carries only a revision, for bookmarks.
std::string RenderBookmark(const manifests::Kind& kind, Revision revision, bool initial_end,
                           const Representation& as);

}  // namespace state

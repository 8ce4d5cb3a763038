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

Body RenderObject(const manifests::Kind& kind, const ObjectPtr& object, const Representation& as,
                  base::WallTime now);
// An object of no kind of the tables, of `message`'s fields: Scale, Status.
Body RenderMessage(const manifests::Message& message, const base::Json& object,
                   const Representation& as);

struct ListMeta {
  Revision revision = 0;
  std::string continue_token;
  std::optional<int64_t> remaining;
};
Body RenderList(const manifests::Kind& kind, const std::vector<ObjectPtr>& objects,
                const ListMeta& meta, const Representation& as, base::WallTime now);

// An object that carries only a revision, for bookmarks.
Body RenderBookmark(const manifests::Kind& kind, Revision revision, bool initial_end,
                    const Representation& as);

// A message of meta/v1, as the program has it built in.
const manifests::Message& MetaMessage(std::string_view name);

// The response that carries `body`.
base::HttpResponse Responding(Body body, int http_status = 200);

}  // namespace state

// A watch is compared with what the selection saw before: the change log keeps each object's
// previous version for that.
#include "state/api/watch.h"

#include "state/api/render.h"
#include "state/api/status.h"

namespace state {
namespace {

std::string Frame(std::string_view type, std::string_view object) {
  std::string line = "{\"type\":\"";
  line += type;
  line += "\",\"object\":";
  line += object;
  return line + "}\n";
}

// `object` as it was, under a later revision.
ObjectPtr Restamped(const Object& object, Revision revision) {
  auto stamped = std::make_shared<Object>(object);
  stamped->revision = revision;
  stamped->document =
      object.document.WithString("metadata", "resourceVersion", std::to_string(revision));
  return stamped;
}

}  // namespace

std::optional<WatchEvent> EventFor(const Selection& selection, const Change& change) {
  const bool before = change.previous != nullptr && selection.Matches(*change.previous);
  const bool after = !change.removed && selection.Matches(*change.object);
  if (after) return WatchEvent{before ? "MODIFIED" : "ADDED", change.object};
  if (!before) return std::nullopt;
  if (change.removed) return WatchEvent{"DELETED", change.object};
  return WatchEvent{"DELETED", Restamped(*change.previous, change.revision)};
}

std::string RenderEvent(const WatchEvent& event, const manifests::Kind& kind,
                        const Representation& as, base::WallTime now) {
  return Frame(event.type, RenderObject(kind, event.object, as, now));
}

std::string RenderBookmarkEvent(const manifests::Kind& kind, Revision revision, bool initial_end,
                                const Representation& as) {
  return Frame("BOOKMARK", RenderBookmark(kind, revision, initial_end, as));
}

std::string RenderErrorEvent(const base::Status& status) {
  return Frame("ERROR", FailureStatus(status, About()).ToString());
}

}  // namespace state

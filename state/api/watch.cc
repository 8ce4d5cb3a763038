// A watch is compared with what the selection saw before: the change log keeps each object's
// previous version for that.
#include "state/api/watch.h"

#include "manifests/wire/protobuf.h"
#include "state/api/render.h"
#include "state/api/status.h"

namespace state {
namespace {

std::string Piece(std::string_view type, const Body& object) {
  if (object.type == manifests::kProtobufType)
    return manifests::EncodeWatchEvent(type, object.bytes);
  std::string line = "{\"type\":\"";
  line += type;
  line += "\",\"object\":";
  line += object.bytes;
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
  return Piece(event.type, RenderObject(kind, event.object, as, now));
}

std::string RenderBookmarkEvent(const manifests::Kind& kind, Revision revision, bool initial_end,
                                const Representation& as) {
  return Piece("BOOKMARK", RenderBookmark(kind, revision, initial_end, as));
}

std::string RenderErrorEvent(const base::Status& status, const Representation& as) {
  return Piece("ERROR", RenderMessage(MetaMessage("Status"), FailureStatus(status, About()), as));
}

std::string_view WatchTypeOf(const Representation& as) {
  return as.wire == Representation::Wire::kProtobuf ? manifests::kProtobufWatchType
                                                    : "application/json";
}

}  // namespace state

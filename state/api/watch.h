// Watches, as far as they are pure: what a client asked to see, and which event a change is to it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "state/api/media.h"
#include "state/api/selection.h"
#include "state/transaction.h"
#include "state/view.h"

namespace state {

struct WatchRequest {
  Selection selection;
  Representation as;
  Revision after = 0;        // changes after this one
  bool initial = false;      // first, each object of `snapshot` (at `after`) as ADDED
  bool initial_end = false;  // then a bookmark that says so
  bool bookmarks = false;    // bookmarks now and then
  View snapshot;
  std::optional<base::Duration> timeout;
};

struct WatchEvent {
  std::string_view type;  // "ADDED", "MODIFIED", "DELETED"
  ObjectPtr object;
};

// What `change`, a change of the watched resource, is to the selection: an object that begins to
// match is ADDED, one that ceases to is DELETED, as it last matched but under the change's
// revision. Nothing if it matched neither before nor after.
std::optional<WatchEvent> EventFor(const Selection& selection, const Change& change);

// One piece of the stream: a line of JSON with its line feed, or a frame of protobuf.
std::string RenderEvent(const WatchEvent& event, const manifests::Kind& kind,
                        const Representation& as, base::WallTime now);
std::string RenderBookmarkEvent(const manifests::Kind& kind, Revision revision, bool initial_end,
                                const Representation& as);
std::string RenderErrorEvent(const base::Status& status, const Representation& as);

// What a stream in this form says it is.
std::string_view WatchTypeOf(const Representation& as);

}  // namespace state

// A watch has three phases: the objects of its snapshot as ADDED events, the changes between its
// revision and the cursor, then live. In the first two it is fed kBatch at a time, and not at all
// while kCatchUpBacklog bytes wait for its peer. Events of the snapshot are made on a worker, as
// lists are. Live watches are told what has become durable in turns; those that are not live yet
// go one step each, round and round, in turns of their own: however many there are, of all that
// continues they are one.
#include "state/api/watch_hub.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "state/api/render.h"

namespace state {

struct WatchHub::Watch {
  Id id = 0;
  WatchRequest request;
  std::unique_ptr<base::Stream> stream;
  Revision position = 0;                      // has seen all up to here
  std::optional<Key> initial;                 // the next object of the snapshot to send; none: done
  std::shared_ptr<const InitialEvents> made;  // from there on
  bool live = false;
  base::Loop::TimerId timeout = 0;
};

// One change in the forms that watches want.
class WatchHub::Encoder {
 public:
  Encoder(const Change& change, base::WallTime now) : change_(change), now_(now) {}

  std::shared_ptr<const std::string> Line(const WatchEvent& event, const Watch& watch) {
    std::shared_ptr<const std::string>& line =
        lines_[{event.type, watch.request.as, watch.request.selection.kind().ApiVersion()}];
    if (line == nullptr) {
      line = std::make_shared<const std::string>(
          RenderEvent(event, watch.request.selection.kind(), watch.request.as, now_));
    }
    return line;
  }
  const Change& change() const { return change_; }

 private:
  const Change& change_;
  base::WallTime now_;
  // By what it is, the form, and the version of the kind.
  std::map<std::tuple<std::string_view, Representation, std::string>,
           std::shared_ptr<const std::string>>
      lines_;
};

// Of the objects from `from` on.
struct WatchHub::InitialEvents {
  InitialEvents(const WatchRequest& request, const Key& from, base::WallTime now) {
    size_t bytes = 0;
    request.selection.Visit(request.snapshot, from, [&](const ObjectPtr& object) {
      if (lines.size() == kBatch || bytes > kCatchUpBacklog) {
        next = object->key;
        return false;
      }
      lines.push_back(std::make_shared<const std::string>(
          RenderEvent({"ADDED", object}, request.selection.kind(), request.as, now)));
      bytes += lines.back()->size();
      return true;
    });
  }
  std::vector<std::shared_ptr<const std::string>> lines;
  std::optional<Key> next;  // the first that did not fit
};

namespace {
constexpr base::Duration kSlowReaderWait = base::Duration::Millis(20);
}

WatchHub::WatchHub(base::Loop& loop, Store& store, const WatchOptions& options)
    : loop_(loop),
      store_(store),
      options_(options),
      rng_(options.seed),
      cursor_(store.durable()),
      telling_(loop, [this] { return TellNext(); }),
      catching_up_(loop, [this] { return CatchUpNext(); }) {
  on_durable_ = store_.OnDurable([this] { Advance(); });
  bookmark_timer_ = loop_.After(options_.bookmark_interval, [this] { SendBookmarks(); });
}

WatchHub::~WatchHub() {
  loop_.Cancel(bookmark_timer_);
  for (const auto& [id, watch] : watches_) loop_.Cancel(watch->timeout);
}

base::Status WatchHub::Admit(const WatchRequest& request) const {
  if (watches_.size() >= options_.max_watches) {
    return base::Status(
        base::Code::kTooManyRequests,
        "more than " + std::to_string(options_.max_watches) + " watches are open; try again later");
  }
  if (request.after < store_.floor()) {
    return base::Status(base::Code::kExpired,
                        "too old resource version: " + std::to_string(request.after) + " (" +
                            std::to_string(store_.floor()) + ")");
  }
  return base::Status();
}

void WatchHub::Add(WatchRequest request, std::unique_ptr<base::Stream> stream) {
  const Id id = next_id_++;
  auto watch = std::make_unique<Watch>();
  watch->id = id;
  watch->request = std::move(request);
  watch->stream = std::move(stream);
  watch->position = watch->request.after;
  if (watch->request.initial) watch->initial = watch->request.selection.FirstKey();
  const base::Duration spread = options_.default_timeout;
  const auto jitter = base::Duration::Millis(
      static_cast<int64_t>(rng_.Below(static_cast<uint64_t>(spread.millis()) + 1)));
  watch->timeout = loop_.After(watch->request.timeout.value_or(spread + jitter),
                               lifeline_.Wrap([this, id] { Close(id); }));
  // Later: the peer may be found gone in the middle of a delivery.
  watch->stream->OnClosed(
      lifeline_.Wrap([this, id] { loop_.Post(lifeline_.Wrap([this, id] { Close(id); })); }));
  watches_.emplace(id, std::move(watch));
  QueueBehind(id);
}

void WatchHub::Send(Watch& watch, std::shared_ptr<const std::string> line) {
  if (!watch.stream->Write(std::move(line))) dropped_.insert(watch.id);
}

bool WatchHub::HasToldAll() const {
  return untold_.empty() && std::all_of(watches_.begin(), watches_.end(),
                                        [](const auto& each) { return each.second->live; });
}

void WatchHub::Deliver(Watch& watch, const Change& change, Encoder& encoder) {
  if (change.revision <= watch.position) return;  // it joined ahead of the cursor
  const std::optional<WatchEvent> event = EventFor(watch.request.selection, change);
  if (event) Send(watch, encoder.Line(*event, watch));
}

// Taken out of the store's window at once, which moves on with other commits.
void WatchHub::Advance() {
  Revision taken = untold_.empty() ? cursor_ : untold_.back().revision;
  while (taken < store_.durable()) {
    auto changes = store_.Read(taken, kBatch);
    CHECK(changes.ok() && !changes->empty());
    taken = changes->back().revision;
    untold_.insert(untold_.end(), std::make_move_iterator(changes->begin()),
                   std::make_move_iterator(changes->end()));
  }
  while (untold_.size() > options_.max_untold) TellOne();
  telling_.Wake();
}

bool WatchHub::TellNext() {
  if (!untold_.empty()) TellOne();
  return !untold_.empty();
}

void WatchHub::TellOne() {
  const Change change = std::move(untold_.front());
  untold_.pop_front();
  cursor_ = change.revision;
  const auto interested = live_.find(change.key().resource);
  if (interested == live_.end()) return;
  Encoder encoder(change, loop_.now().wall);
  for (const Id id : interested->second) Deliver(*watches_.at(id), change, encoder);
  RemoveDropped();
}

void WatchHub::QueueBehind(Id id) {
  behind_.push_back(id);
  catching_up_.Wake();
}

bool WatchHub::CatchUpNext() {
  if (!behind_.empty()) {
    const Id id = behind_.front();
    behind_.pop_front();
    CatchUp(id);
  }
  return !behind_.empty();
}

// A step. Until the watch is live, each ends with what brings the next.
void WatchHub::CatchUp(Id id) {
  const auto found = watches_.find(id);
  if (found == watches_.end()) return;
  Watch& watch = *found->second;
  if (watch.stream->Backlog() > kCatchUpBacklog) {
    loop_.After(kSlowReaderWait, lifeline_.Wrap([this, id] { QueueBehind(id); }));
    return;
  }
  if (watch.made != nullptr) {
    SendInitial(watch);
  } else if (watch.initial) {
    return MakeInitial(watch);
  } else if (SendMissed(watch)) {
    watch.live = true;
    live_[watch.request.selection.kind().Resource()].insert(id);
  }
  if (!watch.live) behind_.push_back(id);
  RemoveDropped();
}

void WatchHub::MakeInitial(const Watch& watch) {
  loop_.OffloadTo(base::Loop::Lane::kAnswers,
                  [this, tie = lifeline_.tie(), id = watch.id, request = watch.request,
                   from = *watch.initial, now = loop_.now().wall]() -> base::Loop::Task {
                    const auto events = std::make_shared<const InitialEvents>(request, from, now);
                    return tie.Wrap([this, id, events] {
                      const auto found = watches_.find(id);
                      if (found == watches_.end()) return;
                      found->second->made = events;
                      QueueBehind(id);
                    });
                  });
}

void WatchHub::SendInitial(Watch& watch) {
  const std::shared_ptr<const InitialEvents> events = std::exchange(watch.made, nullptr);
  for (const std::shared_ptr<const std::string>& line : events->lines) Send(watch, line);
  watch.initial = events->next;
  if (watch.initial) return;
  watch.request.snapshot = View();
  if (!watch.request.initial_end) return;
  Send(watch, std::make_shared<const std::string>(RenderBookmarkEvent(
                  watch.request.selection.kind(), watch.request.after, true, watch.request.as)));
}

// False if there is more to send.
bool WatchHub::SendMissed(Watch& watch) {
  if (watch.position >= cursor_) return true;
  const auto changes = store_.Read(watch.position, kBatch);
  if (!changes.ok()) {  // it was too slow: the log has moved on
    Send(watch,
         std::make_shared<const std::string>(RenderErrorEvent(changes.status(), watch.request.as)));
    dropped_.insert(watch.id);
    return true;
  }
  const std::string resource = watch.request.selection.kind().Resource();
  for (const Change& change : *changes) {
    if (change.revision > cursor_) break;
    if (change.key().resource == resource) {
      Encoder encoder(change, loop_.now().wall);
      Deliver(watch, change, encoder);
    }
    watch.position = change.revision;
    if (loop_.TurnIsOver()) break;
  }
  return watch.position >= cursor_;
}

void WatchHub::SendBookmarks() {
  // By the kind's version and name, and the form.
  std::map<std::tuple<std::string, std::string, Representation>, std::shared_ptr<const std::string>>
      lines;
  for (const auto& [id, watch] : watches_) {
    // One that began ahead of the others is told nothing that is older than its beginning.
    if (!watch->live || !watch->request.bookmarks || watch->position > cursor_) continue;
    const manifests::Kind& kind = watch->request.selection.kind();
    std::shared_ptr<const std::string>& line =
        lines[{kind.ApiVersion(), kind.kind, watch->request.as}];
    if (line == nullptr) {
      line = std::make_shared<const std::string>(
          RenderBookmarkEvent(kind, cursor_, false, watch->request.as));
    }
    Send(*watch, line);
  }
  RemoveDropped();
  bookmark_timer_ = loop_.After(options_.bookmark_interval, [this] { SendBookmarks(); });
}

void WatchHub::Close(Id id) {
  dropped_.insert(id);
  RemoveDropped();
}

void WatchHub::RemoveDropped() {
  while (!dropped_.empty()) {
    const Id id = *dropped_.begin();
    dropped_.erase(dropped_.begin());
    const auto found = watches_.find(id);
    if (found == watches_.end()) continue;
    const std::unique_ptr<Watch> watch = std::move(found->second);
    watches_.erase(found);
    loop_.Cancel(watch->timeout);
    const auto live = live_.find(watch->request.selection.kind().Resource());
    if (live == live_.end()) continue;
    live->second.erase(id);
    if (live->second.empty()) live_.erase(live);
  }
}

}  // namespace state

#include "tests/sim/watcher.h"

#include <algorithm>
#include <utility>

namespace tests {
namespace {

constexpr int64_t kMaxPause = 1500;  // milliseconds between two acts
constexpr size_t kFullBacklog = 2u << 20;
constexpr int kGone = 410;  // too old to resume

}  // namespace

class Watcher::Client final : public base::Stream {
 public:
  explicit Client(std::shared_ptr<Watcher*> watcher) : watcher_(std::move(watcher)) {}
  ~Client() override {
    if (*watcher_ != nullptr && (*watcher_)->client_ == this) (*watcher_)->client_ = nullptr;
  }
  bool Write(std::string_view line) override {
    if (hung_up_ || *watcher_ == nullptr) return false;
    (*watcher_)->Hear(line);
    return true;
  }
  size_t Backlog() const override { return slow ? kFullBacklog : 0; }
  void OnDrained(size_t, std::function<void()>) override {}
  void OnClosed(std::function<void()> closed) override { closed_ = std::move(closed); }

  void HangUp() {
    if (std::exchange(hung_up_, true)) return;
    if (closed_) closed_();
  }
  bool slow = false;

 private:
  const std::shared_ptr<Watcher*> watcher_;
  std::function<void()> closed_;
  bool hung_up_ = false;
};

Watcher::Watcher(World& world, SimServer& server, Invariants& invariants, std::string path,
                 std::string resource)
    : world_(world),
      server_(server),
      invariants_(invariants),
      path_(std::move(path)),
      resource_(std::move(resource)),
      rng_(world.rng.Next()) {}

Watcher::~Watcher() { *self_ = nullptr; }

void Watcher::Start() { Act(); }

void Watcher::Act() {
  world_.loop.After(base::Duration::Millis(static_cast<int64_t>(rng_.Below(kMaxPause))),
                    [self = self_] {
                      if (*self != nullptr) (*self)->Act();
                    });
  if (!server_.up()) return;
  if (std::exchange(lives_, server_.crashes()) != server_.crashes()) asking_ = false;
  if (client_ != nullptr) {
    client_->slow = !calm_ && rng_.Chance(1, 4);
    if (calm_ || rng_.Chance(3, 4)) return;
    Client* leaving = std::exchange(client_, nullptr);
    return leaving->HangUp();
  }
  if (asking_) return;
  asking_ = true;
  listed_ ? Connect() : List();
}

void Watcher::List() {
  server_.Ask(ApiRequest{.target = path_, .role = "viewer"},
              {.answered = [this](const base::HttpResponse& response) {
                asking_ = false;
                const auto list = base::ParseJson(response.body);
                if (response.status != 200 || !list.ok()) {
                  return world_.Fail("a list of " + path_ + " was refused: " + response.body);
                }
                Hold(*list);
              }});
}

void Watcher::Hold(const base::Json& list) {
  listed_ = true;
  position_ = RevisionOf(list);
  held_.clear();
  for (const base::Json& item : list["items"].Elements()) held_[KeyOf(item)] = RevisionOf(item);
}

void Watcher::Connect() {
  server_.Ask(ApiRequest{.target = path_ + "?watch=true&allowWatchBookmarks=true&resourceVersion=" +
                                   std::to_string(position_),
                         .role = "viewer"},
              {.answered =
                   [this](const base::HttpResponse& response) {
                     asking_ = false;
                     if (response.status != kGone) {
                       world_.Fail("a watch of " + path_ + " was refused: " + response.body);
                     }
                     ++expired_;
                     listed_ = false;
                   },
               .started =
                   [this](const base::HttpResponse&) {
                     asking_ = false;
                     auto client = std::make_unique<Client>(self_);
                     client_ = client.get();
                     return client;
                   }});
}

state::Revision Watcher::RevisionOf(const base::Json& object) {
  return std::stoull(std::string(object["metadata"]["resourceVersion"].AsString("0")));
}

state::Key Watcher::KeyOf(const base::Json& object) const {
  const base::Json& metadata = object["metadata"];
  return {resource_, std::string(metadata["namespace"].AsString()),
          std::string(metadata["name"].AsString())};
}

void Watcher::Hear(std::string_view line) {
  const auto parsed = base::ParseJson(line);
  if (!parsed.ok()) return world_.Fail("a watch sent what is no JSON: " + std::string(line));
  const base::Json& event = *parsed;
  const std::string_view type = event["type"].AsString();
  if (type == "ERROR") {
    ++expired_;
    listed_ = false;
    return;
  }
  const state::Revision revision = RevisionOf(event["object"]);
  if (revision > server_.store().durable()) {
    world_.Fail("a watch told of revision " + std::to_string(revision) + " before it was durable");
  }
  HearEvent(type, revision, KeyOf(event["object"]));
}

void Watcher::HearEvent(std::string_view type, state::Revision revision, const state::Key& key) {
  const std::vector<Invariants::Event>& history = invariants_.HistoryOf(resource_);
  const auto next = std::upper_bound(
      history.begin(), history.end(), position_,
      [](state::Revision after, const Invariants::Event& each) { return after < each.revision; });
  if (type == "BOOKMARK") {
    if (next != history.end() && next->revision <= revision) {
      world_.Fail("a bookmark at " + std::to_string(revision) + " passes over " +
                  next->key.ToString() + " at " + std::to_string(next->revision));
    }
    position_ = std::max(position_, revision);
    return;
  }
  ++events_;
  if (next == history.end() || next->revision != revision || next->key != key) {
    return world_.Fail("a watch at " + std::to_string(position_) + " was told of " +
                       key.ToString() + " at " + std::to_string(revision) + ", but next comes " +
                       (next == history.end()
                            ? "nothing"
                            : next->key.ToString() + " at " + std::to_string(next->revision)));
  }
  const std::string_view expected = next->removed         ? "DELETED"
                                    : held_.contains(key) ? "MODIFIED"
                                                          : "ADDED";
  if (type != expected) {
    world_.Fail(key.ToString() + " at " + std::to_string(revision) + " was told as " +
                std::string(type) + ", but is " + std::string(expected));
  }
  position_ = revision;
  if (next->removed) {
    held_.erase(key);
  } else {
    held_[key] = revision;
  }
}

std::string Watcher::Missing() const {
  std::map<state::Key, state::Revision> there;
  for (const state::ObjectPtr& object : server_.view().List(resource_)) {
    there[object->key] = object->revision;
  }
  if (listed_ && there == held_) return "";
  return "a watch of " + resource_ + " at " + std::to_string(position_) + " holds " +
         std::to_string(held_.size()) + " of " + std::to_string(there.size()) + " objects";
}

}  // namespace tests

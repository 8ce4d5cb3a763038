// A ticket stands for a reply, then for the stream that it starts. An end that comes between the
// two is kept, and told to the stream as soon as it is there.
#include "base/net/open_streams.h"

#include <map>
#include <utility>
#include <vector>

namespace base {

struct OpenStreams::Table {
  struct Entry {
    Identity identity;
    bool ended = false;
    std::function<void()> end;  // of a stream
  };
  std::map<uint64_t, Entry> entries;
  uint64_t last = 0;
};

namespace {

// An entry of the table for as long as it lives.
class Ticket {
 public:
  Ticket(std::shared_ptr<OpenStreams::Table> table, const Identity& identity)
      : table_(std::move(table)), id_(++table_->last) {
    table_->entries[id_].identity = identity;
  }
  Ticket(const Ticket&) = delete;
  ~Ticket() { table_->entries.erase(id_); }

  bool ended() const { return table_->entries.at(id_).ended; }
  void OnEnd(std::function<void()> end) { table_->entries.at(id_).end = std::move(end); }

 private:
  const std::shared_ptr<OpenStreams::Table> table_;
  const uint64_t id_;
};

class GuardedStream final : public Stream {
 public:
  GuardedStream(std::unique_ptr<Stream> inner, std::unique_ptr<Ticket> ticket)
      : ticket_(std::move(ticket)), inner_(std::move(inner)) {
    ticket_->OnEnd([this] { End(); });
    if (ticket_->ended()) inner_.reset();
  }

  bool Write(std::string_view bytes) override { return inner_ != nullptr && inner_->Write(bytes); }
  bool Write(std::shared_ptr<const std::string> bytes) override {
    return inner_ != nullptr && inner_->Write(std::move(bytes));
  }
  size_t Backlog() const override { return inner_ == nullptr ? 0 : inner_->Backlog(); }
  void OnDrained(size_t size, std::function<void()> drained) override {
    if (inner_ != nullptr) inner_->OnDrained(size, std::move(drained));
  }
  void OnClosed(std::function<void()> closed) override {
    closed_ = std::move(closed);
    if (inner_ != nullptr) inner_->OnClosed([this] { Closed(); });
  }

 private:
  void End() {
    inner_.reset();
    Closed();
  }
  // May be the end of this.
  void Closed() {
    if (const auto closed = std::exchange(closed_, nullptr)) closed();
  }

  const std::unique_ptr<Ticket> ticket_;
  std::unique_ptr<Stream> inner_;  // null once it was ended
  std::function<void()> closed_;
};

class GuardedDuplex final : public Duplex {
 public:
  GuardedDuplex(std::unique_ptr<Duplex> inner, std::unique_ptr<Ticket> ticket)
      : ticket_(std::move(ticket)), inner_(std::move(inner)) {
    ticket_->OnEnd([this] { End(); });
    if (ticket_->ended()) inner_.reset();
  }

  void Listen(Events events) override {
    closed_ = std::move(events.closed);
    events.closed = [this](Status status) { Closed(std::move(status)); };
    if (inner_ != nullptr) inner_->Listen(std::move(events));
  }
  void Write(std::string_view bytes) override {
    if (inner_ != nullptr) inner_->Write(bytes);
  }
  size_t Backlog() const override { return inner_ == nullptr ? 0 : inner_->Backlog(); }
  void Finish(Status status) override {
    if (inner_ != nullptr) inner_->Finish(std::move(status));
  }
  void SetPaused(bool paused) override {
    if (inner_ != nullptr) inner_->SetPaused(paused);
  }

 private:
  void End() {
    inner_.reset();
    Closed(Status(Code::kUnauthorized, "the credential that opened it counts no more"));
  }
  // May be the end of this.
  void Closed(Status status) {
    if (const auto closed = std::exchange(closed_, nullptr)) closed(std::move(status));
  }

  const std::unique_ptr<Ticket> ticket_;
  std::unique_ptr<Duplex> inner_;  // null once it was ended
  std::function<void(Status)> closed_;
};

class GuardedReply final : public Reply {
 public:
  GuardedReply(std::unique_ptr<Reply> inner, std::unique_ptr<Ticket> ticket)
      : inner_(std::move(inner)), ticket_(std::move(ticket)) {}

  void Send(HttpResponse response) override { inner_->Send(std::move(response)); }
  std::unique_ptr<Stream> Start(HttpResponse head) override {
    return std::make_unique<GuardedStream>(inner_->Start(std::move(head)), std::move(ticket_));
  }
  std::unique_ptr<Duplex> Upgrade(HttpResponse head) override {
    return std::make_unique<GuardedDuplex>(inner_->Upgrade(std::move(head)), std::move(ticket_));
  }
  void OnGone(std::function<void()> gone) override { inner_->OnGone(std::move(gone)); }

 private:
  const std::unique_ptr<Reply> inner_;
  std::unique_ptr<Ticket> ticket_;
};

}  // namespace

OpenStreams::OpenStreams() : table_(std::make_shared<Table>()) {}

std::unique_ptr<Reply> OpenStreams::Guard(const Identity& identity, std::unique_ptr<Reply> reply) {
  if (identity.credential.empty()) return reply;
  return std::make_unique<GuardedReply>(std::move(reply),
                                        std::make_unique<Ticket>(table_, identity));
}

void OpenStreams::End(const std::function<bool(const Identity&)>& ended) {
  std::vector<uint64_t> ids;
  for (auto& [id, entry] : table_->entries) {
    if (entry.ended || !ended(entry.identity)) continue;
    entry.ended = true;
    ids.push_back(id);
  }
  for (const uint64_t id : ids) {  // the end of one may take others with it
    const auto entry = table_->entries.find(id);
    if (entry == table_->entries.end() || entry->second.end == nullptr) continue;
    const std::function<void()> end = entry->second.end;
    end();
  }
}

size_t OpenStreams::size() const { return table_->entries.size(); }

}  // namespace base

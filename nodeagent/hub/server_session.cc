// Rules:
// - A node resumes if its epoch is the store's, and the log reaches back to what it has; what it
//   has from a future that was lost (a restored backup) is reset.
// - One transfer at a time; changes meanwhile wait in the store's log and become the next.
// - A transfer is cut into frames of kMaxChunkBytes and kMaxChunkObjects; the last has `complete`.
#include "nodeagent/hub/server_session.h"

#include <utility>

namespace nodeagent {

void ServerSession::Start(Welcome welcome, const Hello& hello, const state::View& view) {
  resuming_ = !hello.epoch.empty() && hello.epoch == welcome.epoch &&
              hello.have_revision <= view.revision();
  welcome_ = std::move(welcome);
  if (!resuming_) return Reset(view);
  position_ = hello.have_revision;
  if (position_ == view.revision()) Advance(RoutedChanges(), view);
}

void ServerSession::Reset(const state::View& view) {
  transfer_ = Transfer{.reset = true, .difference = holding_.Fill(view)};
  position_ = view.revision();
  resuming_ = false;
}

// A node that resumes is told where it is, also if nothing has changed.
void ServerSession::Advance(const RoutedChanges& changes, const state::View& view) {
  CHECK(idle());
  const bool resumed = std::exchange(resuming_, false);
  if (resumed) holding_.Rewind(changes, view);
  Holding::Difference difference = holding_.Advance(changes, view);
  position_ = view.revision();
  if (!resumed && difference.empty() && position_ < told_ + kProgressEvery) return;
  transfer_ = Transfer{.difference = std::move(difference)};
}

void ServerSession::TellPosition() {
  CHECK(idle());
  transfer_ = Transfer();
}

std::optional<Frame> ServerSession::Next() {
  if (welcome_) return Frame(*std::exchange(welcome_, std::nullopt));
  if (!transfer_) return std::nullopt;
  return Frame(NextChunk());
}

Objects ServerSession::NextChunk() {
  Transfer& transfer = *transfer_;
  const Holding::Difference& all = transfer.difference;
  Objects chunk;
  chunk.revision = position_;
  chunk.reset = transfer.reset && transfer.puts_sent == 0;
  size_t bytes = 0;
  while (transfer.puts_sent < all.puts.size() && chunk.puts.size() < kMaxChunkObjects) {
    const state::ObjectPtr& object = all.puts[transfer.puts_sent];
    bytes += object->document.Bytes().size();
    if (bytes > kMaxChunkBytes && !chunk.puts.empty()) break;
    chunk.puts.push_back(object);
    ++transfer.puts_sent;
  }
  while (transfer.removals_sent < all.removals.size() &&
         chunk.puts.size() + chunk.removals.size() < kMaxChunkObjects) {
    chunk.removals.push_back(all.removals[transfer.removals_sent++]);
  }
  if (transfer.puts_sent == all.puts.size() && transfer.removals_sent == all.removals.size()) {
    chunk.complete = true;
    told_ = position_;
    transfer_.reset();
  }
  return chunk;
}

}  // namespace nodeagent

#include "base/net/relay.h"

#include <utility>

namespace base {

Relay::Relay(std::unique_ptr<Duplex> asker, std::unique_ptr<Duplex> other,
             std::function<void()> done)
    : asker_(std::move(asker)), other_(std::move(other)), done_(std::move(done)) {
  asker_->Listen({.bytes = [this](std::string_view bytes) { Pass(*asker_, other_.get(), bytes); },
                  .finished =
                      [this](const Status& status) {
                        if (other_) other_->Finish(status);
                      },
                  .closed =
                      [this](const Status&) {
                        other_.reset();
                        const auto done_now = std::move(done_);
                        done_now();
                      },
                  .drained =
                      [this] {
                        if (other_) other_->SetPaused(false);
                      }});
  other_->Listen({.bytes = [this](std::string_view bytes) { Pass(*other_, asker_.get(), bytes); },
                  .finished = [this](const Status& status) { asker_->Finish(status); },
                  .closed =
                      [this](const Status& status) {
                        asker_->Finish(status);  // if it was not told before
                        asker_->SetPaused(false);
                        other_.reset();
                      },
                  .drained = [this] { asker_->SetPaused(false); }});
}

void Relay::Pass(Duplex& from, Duplex* to, std::string_view bytes) {
  if (to == nullptr) return;
  to->Write(bytes);
  if (to->Backlog() >= kRefillDuplexBacklog) from.SetPaused(true);
}

}  // namespace base

// Subscription: that a listener is told; it ends when this is destroyed. Listeners: those whom a
// class tells of what happens in it.
//
// Loop only. Either side may end first. Listeners are told in the order in which they came; while
// they are told they may come and go: who came is told from the next time on; who went, no more.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <utility>

namespace base {

class [[nodiscard]] Subscription {
 public:
  Subscription() = default;  // to nothing
  explicit Subscription(std::function<void()> end) : end_(std::move(end)) {}
  ~Subscription() { End(); }
  Subscription(Subscription&& other) noexcept : end_(std::exchange(other.end_, nullptr)) {}
  Subscription& operator=(Subscription&& other) noexcept {
    if (this != &other) {
      End();
      end_ = std::exchange(other.end_, nullptr);
    }
    return *this;
  }

  void End() {
    if (const auto end = std::exchange(end_, nullptr)) end();
  }

 private:
  std::function<void()> end_;
};

template <typename... Args>
class Listeners {
 public:
  using Listener = std::function<void(Args...)>;

  Listeners() = default;
  ~Listeners() { by_id_->clear(); }
  Listeners(const Listeners&) = delete;
  Listeners& operator=(const Listeners&) = delete;

  Subscription Add(Listener listener) {
    const uint64_t id = ++last_id_;
    by_id_->emplace(id, std::make_shared<const Listener>(std::move(listener)));
    return Subscription([id, list = std::weak_ptr<ById>(by_id_)] {
      if (const std::shared_ptr<ById> held = list.lock()) held->erase(id);
    });
  }

  // A listener may end this: then it is the last that is told.
  void Tell(Args... args) const {
    const std::shared_ptr<ById> list = by_id_;
    const uint64_t last = last_id_;
    for (auto it = list->begin(); it != list->end() && it->first <= last;) {
      const uint64_t id = it->first;
      const std::shared_ptr<const Listener> listener = it->second;  // it may end itself
      (*listener)(args...);
      it = list->upper_bound(id);
    }
  }

 private:
  using ById = std::map<uint64_t, std::shared_ptr<const Listener>>;
  std::shared_ptr<ById> by_id_ = std::make_shared<ById>();
  uint64_t last_id_ = 0;
};

}  // namespace base

// Lifeline: a member of a class whose tasks, timers and callbacks must do nothing once it is gone:
//
//   loop_.Post(lifeline_.Wrap([this] { Run(); }));
//
// Any thread may wrap, and copy, move and drop what was wrapped; it is called where the owner lives
// and ends: on the loop. It costs one counted pointer.
//
// Declare it last, so that it is cut before the members that a callback would touch. An owner whose
// destructor calls out cuts it there first.
#pragma once

#include <concepts>
#include <memory>
#include <utility>

namespace base {

class Lifeline {
 public:
  template <typename F>
  class Wrapped;

  // What a worker's task or a callback in progress holds to ask for the owner later.
  class Tie {
   public:
    bool holds() const { return *alive_; }  // loop only
    template <typename F>
    Wrapped<F> Wrap(F fn) const {
      return Wrapped<F>(*this, std::move(fn));
    }

   private:
    friend class Lifeline;
    explicit Tie(std::shared_ptr<const bool> alive) : alive_(std::move(alive)) {}
    std::shared_ptr<const bool> alive_;
  };

  // `fn`, or nothing if its owner is gone. What `fn` returns is dropped.
  template <typename F>
  class Wrapped {
   public:
    Wrapped(Tie tie, F fn) : tie_(std::move(tie)), fn_(std::move(fn)) {}

    template <typename... Args>
    requires std::invocable<F&, Args...>
    void operator()(Args&&... args) {
      if (tie_.holds()) fn_(std::forward<Args>(args)...);
    }
    template <typename... Args>
    requires std::invocable<const F&, Args...>
    void operator()(Args&&... args) const {
      if (tie_.holds()) fn_(std::forward<Args>(args)...);
    }

   private:
    Tie tie_;
    F fn_;
  };

  Lifeline() = default;
  ~Lifeline() { Cut(); }
  Lifeline(const Lifeline&) = delete;
  Lifeline& operator=(const Lifeline&) = delete;

  template <typename F>
  Wrapped<F> Wrap(F fn) const {
    return tie().Wrap(std::move(fn));
  }
  Tie tie() const { return Tie(alive_); }

  // What was wrapped, or is from now on, does nothing any more.
  void Cut() { *alive_ = false; }

 private:
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace base

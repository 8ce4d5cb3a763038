// ImageStore: brings images to the node, for all pods together: one pull of an image at a time, one
// back-off for all that want it.
//
// Loop only. Borrows what it is made of.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "base/backoff.h"
#include "base/lifeline.h"
#include "base/loop.h"
#include "nodeagent/pods/commands.h"
#include "nodeagent/pods/runtime.h"

namespace nodeagent {

class ImageStore {
 public:
  struct Answer {
    std::string id;         // "" if it is not here
    base::Status failure;   // why not
    uint32_t failures = 0;  // pulls that failed in a row
    base::MonotonicTime retry_at;
    bool pulled = false;  // now; else it was here
  };
  using Done = std::function<void(const Answer&)>;

  ImageStore(base::Loop& loop, Runtime& runtime) : loop_(loop), runtime_(runtime) {}

  // Answers on the loop, exactly once; at once with the last failure while it backs off. Before it
  // waits for a pull it says so by `pulling`.
  void Get(const PullImage& wanted, std::function<void()> pulling, Done done);

 private:
  // Other credentials are another try.
  using Key = std::tuple<std::string, std::string, std::string>;  // reference, user, password
  struct Image {
    bool pulling = false;
    std::vector<Done> waiting;
    base::Status failure;
    uint32_t failures = 0;
    base::MonotonicTime retry_at;
  };

  void Pull(const PullImage& wanted, const std::function<void()>& pulling, Done done);
  void StartPulls();
  void Pulled(const Key& key, const base::Result<std::string>& result);
  static Key KeyOf(const PullImage& wanted);

  base::Loop& loop_;
  Runtime& runtime_;
  std::map<Key, Image> images_;  // that are being pulled or back off
  std::deque<PullImage> queue_;
  size_t pulling_ = 0;
  base::Lifeline lifeline_;
};

inline constexpr size_t kMaxPullsAtOnce = 4;
inline constexpr size_t kMaxImagesBackingOff = 1000;
inline constexpr base::Backoff kPullRetry{base::Duration::Seconds(10), base::Duration::Minutes(5)};
// How soon an image is looked for again when the question itself failed, or it must not be pulled.
inline constexpr base::Duration kFindImageAgain = base::Duration::Seconds(10);

}  // namespace nodeagent

// Rules: an image that may be here is looked for first; one that must be fresh is always pulled. A
// failed pull is not repeated before its wait is over, whoever asks: 10 s, doubling to 5 min. A
// success forgets the failures.
#include "nodeagent/pods/image_store.h"

#include <algorithm>
#include <utility>

namespace nodeagent {

ImageStore::Key ImageStore::KeyOf(const PullImage& wanted) {
  if (!wanted.credentials) return {wanted.reference, "", ""};
  return {wanted.reference, wanted.credentials->username, wanted.credentials->password};
}

void ImageStore::Get(const PullImage& wanted, std::function<void()> pulling, Done done) {
  if (wanted.policy == PullPolicy::kAlways) return Pull(wanted, pulling, std::move(done));
  runtime_.FindImage(wanted.reference, lifeline_.Wrap([this, wanted, pulling = std::move(pulling),
                                                       done](base::Result<std::string> found) {
    Answer answer;
    if (found.ok()) {
      answer.id = *found;
      return done(answer);
    }
    const bool absent = found.status().code() == base::Code::kNotFound;
    if (absent && wanted.policy == PullPolicy::kIfNotPresent) return Pull(wanted, pulling, done);
    answer.failure = found.status();
    answer.failures = 1;
    answer.retry_at = loop_.now().monotonic + kFindImageAgain;
    done(answer);
  }));
}

void ImageStore::Pull(const PullImage& wanted, const std::function<void()>& pulling, Done done) {
  const Key key = KeyOf(wanted);
  Image& image = images_[key];
  if (!image.failure.ok() && loop_.now().monotonic < image.retry_at && !image.pulling) {
    loop_.Post([done, answer = Answer{"", image.failure, image.failures, image.retry_at, false}] {
      done(answer);
    });
    return;
  }
  image.waiting.push_back(std::move(done));
  pulling();
  if (image.pulling) return;
  image.pulling = true;
  queue_.push_back(wanted);
  StartPulls();
}

void ImageStore::StartPulls() {
  while (pulling_ < kMaxPullsAtOnce && !queue_.empty()) {
    const PullImage next = std::move(queue_.front());
    queue_.pop_front();
    ++pulling_;
    runtime_.PullImage(next.reference, next.credentials,
                       lifeline_.Wrap([this, key = KeyOf(next)](base::Result<std::string> result) {
                         Pulled(key, result);
                       }));
  }
}

void ImageStore::Pulled(const Key& key, const base::Result<std::string>& result) {
  --pulling_;
  Image& image = images_[key];
  const std::vector<Done> waiting = std::exchange(image.waiting, {});
  image.pulling = false;
  Answer answer;
  answer.pulled = true;
  if (result.ok()) {
    answer.id = *result;
    images_.erase(key);
  } else {
    image.failure = result.status();
    image.retry_at = loop_.now().monotonic + kPullRetry.After(++image.failures);
    answer.failure = image.failure;
    answer.failures = image.failures;
    answer.retry_at = image.retry_at;
    if (images_.size() > kMaxImagesBackingOff) {
      std::erase_if(images_, [](const auto& entry) { return !entry.second.pulling; });
    }
  }
  StartPulls();
  for (const Done& done : waiting) done(answer);
}

}  // namespace nodeagent

#include "state/storage.h"

#include <utility>

namespace state {

size_t StorageBatch::ByteSize() const {
  size_t bytes = 0;
  for (const auto& [key, value] : puts) bytes += key.size() + value.size();
  for (const std::string& key : deletes) bytes += key.size();
  return bytes;
}

base::Status CheckLimits(const StorageBatch& batch, const StorageLimits& limits) {
  const auto too_large = [](std::string_view what, size_t bytes, size_t limit) {
    return base::Status(base::Code::kTooLarge,
                        "a storage " + std::string(what) + " of " + std::to_string(bytes) +
                            " bytes exceeds the limit of " + std::to_string(limit));
  };
  for (const auto& [key, value] : batch.puts) {
    if (key.size() > limits.key_bytes) return too_large("key", key.size(), limits.key_bytes);
    if (value.size() > limits.value_bytes) {
      return too_large("value", value.size(), limits.value_bytes);
    }
  }
  if (const size_t bytes = batch.ByteSize(); bytes > limits.batch_bytes) {
    return too_large("batch", bytes, limits.batch_bytes);
  }
  if (const size_t keys = batch.puts.size() + batch.deletes.size(); keys > limits.batch_keys) {
    return base::Status(base::Code::kTooLarge, "a storage batch of " + std::to_string(keys) +
                                                   " keys exceeds the limit of " +
                                                   std::to_string(limits.batch_keys));
  }
  return {};
}

void BatchBuilder::Put(std::string key, std::string value) {
  room_.Add(key.size() + value.size());
  batch_.puts.emplace_back(std::move(key), std::move(value));
}

void BatchBuilder::Delete(std::string key) {
  room_.Add(key.size());
  batch_.deletes.push_back(std::move(key));
}

StorageBatch BatchBuilder::Take() {
  room_.Clear();
  return std::exchange(batch_, {});
}

base::Status CheckFence(Storage& storage, const Fence& fence) {
  if (fence.key.empty()) return {};
  const base::Result<std::string> found = storage.Get(fence.key);
  const bool missing = !found.ok() && found.status().code() == base::Code::kNotFound;
  if (!found.ok() && !missing) return found.status();
  if (missing ? !fence.value.has_value() : fence.value == *found) return {};
  return base::Status(base::Code::kConflict, "somebody else writes here now (" + fence.key +
                                                 " is " + (missing ? "gone" : *found) + ", not " +
                                                 fence.value.value_or("absent") + ")");
}

}  // namespace state

#include "state/storage.h"

namespace state {

size_t StorageBatch::ByteSize() const {
  size_t bytes = 0;
  for (const auto& [key, value] : puts) bytes += key.size() + value.size();
  for (const std::string& key : deletes) bytes += key.size();
  return bytes;
}

base::Status CheckLimits(const StorageBatch& batch) {
  const auto too_large = [](std::string_view what, size_t bytes, size_t limit) {
    return base::Status(base::Code::kTooLarge,
                        "a storage " + std::string(what) + " of " + std::to_string(bytes) +
                            " bytes exceeds the limit of " + std::to_string(limit));
  };
  for (const auto& [key, value] : batch.puts) {
    if (key.size() > kMaxStorageKeyBytes) {
      return too_large("key", key.size(), kMaxStorageKeyBytes);
    }
    if (value.size() > kMaxStorageValueBytes) {
      return too_large("value", value.size(), kMaxStorageValueBytes);
    }
  }
  return {};
}

}  // namespace state

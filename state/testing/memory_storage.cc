#include "state/testing/memory_storage.h"

namespace state {
namespace {

base::Status Broken() {
  return base::Status(base::Code::kInternal,
                      "a write to the storage failed earlier; stop and reopen it");
}

}  // namespace

base::Status MemoryStorage::Write(const StorageBatch& batch, const Fence& fence) {
  if (broken_) return Broken();
  RETURN_IF_ERROR(CheckLimits(batch, limits_));
  RETURN_IF_ERROR(CheckFence(*this, fence));
  if (faults_ != nullptr && faults_->Hit("storage.write.fail")) {
    broken_ = true;
    return base::Status(base::Code::kInternal, "injected fault: nothing was written");
  }
  for (const auto& [key, value] : batch.puts) data_.insert_or_assign(key, value);
  for (const std::string& key : batch.deletes) data_.erase(key);
  ++writes_;
  if (faults_ != nullptr && faults_->Hit("storage.write.lost")) {
    broken_ = true;
    return base::Status(base::Code::kInternal, "injected fault: written, but nobody was told");
  }
  return {};
}

base::Result<std::string> MemoryStorage::Get(std::string_view key) {
  if (broken_) return Broken();
  const auto found = data_.find(key);
  if (found == data_.end()) return base::Status(base::Code::kNotFound, "no such key");
  return found->second;
}

base::Status MemoryStorage::Scan(
    std::string_view first, std::string_view last,
    const std::function<bool(std::string_view key, std::string_view value)>& visit) {
  if (broken_) return Broken();
  for (auto it = data_.lower_bound(first); it != data_.end(); ++it) {
    if (!last.empty() && it->first >= last) break;
    if (!visit(it->first, it->second)) break;
  }
  return {};
}

}  // namespace state

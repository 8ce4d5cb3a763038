// A Storage in memory that survives a simulated crash of the process above it: what was written is
// durable, what was never handed over is lost with its owner. Its limits are the test's. Fault
// points: "storage.write.fail" (nothing written), "storage.write.lost" (an error is reported after
// the batch became durable).
#pragma once

#include <map>
#include <string>

#include "base/faults.h"
#include "state/storage.h"

namespace state {

class MemoryStorage final : public Storage {
 public:
  explicit MemoryStorage(base::Faults* faults = nullptr, const StorageLimits& limits = {})
      : faults_(faults), limits_(limits) {}

  StorageLimits limits() const override { return limits_; }
  base::Status Write(const StorageBatch& batch, const Fence& fence) override;
  base::Result<std::string> Get(std::string_view key) override;
  base::Status Scan(
      std::string_view first, std::string_view last,
      const std::function<bool(std::string_view key, std::string_view value)>& visit) override;

  std::string held() const override { return held_; }
  void Hold(std::string why) { held_ = std::move(why); }  // "" ends it; no write waits for it

  // After a failed write all calls fail until Reopen, as LevelDB's do.
  void Reopen() { broken_ = false; }
  bool broken() const { return broken_; }
  uint64_t writes() const { return writes_; }

 private:
  std::map<std::string, std::string, std::less<>> data_;
  base::Faults* faults_;
  const StorageLimits limits_;
  std::string held_;
  bool broken_ = false;
  uint64_t writes_ = 0;
};

}  // namespace state

// FileViewCache: the ViewCache in one file, replaced whole, mode 0600 (it holds Secrets).
#pragma once

#include <string>

#include "nodeagent/session/view_cache.h"

namespace nodeagent {

class FileViewCache final : public ViewCache {
 public:
  explicit FileViewCache(std::string path) : path_(std::move(path)) {}
  std::optional<CachedView> Load() override;
  base::Status Save(const CachedView& view) override;

 private:
  const std::string path_;
};

inline constexpr size_t kMaxViewCacheBytes = 1u << 30;

// The file's content, and back; nothing if it is not whole.
std::string EncodeView(const CachedView& cached);
std::optional<CachedView> DecodeView(std::string_view bytes);

}  // namespace nodeagent

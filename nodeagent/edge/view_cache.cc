// The file: a line "plumb-view 1 EPOCH REVISION OBJECTS", then per object a line
// "REVISION RESOURCE NS NAME BYTES" ("-" for no namespace) and the document, and a last line with
// the SHA-256 of all before it. A file that is damaged, or of another format, is as good as none.
#include "nodeagent/edge/view_cache.h"

#include <sstream>
#include <utility>

#include "base/edge/files.h"
#include "base/log.h"
#include "base/net/edge/pki.h"

namespace nodeagent {
namespace {

constexpr char kFormat[] = "plumb-view 1";
constexpr size_t kDigestBytes = 64;

}  // namespace

std::string EncodeView(const CachedView& cached) {
  std::string out = std::string(kFormat) + " " + (cached.epoch.empty() ? "-" : cached.epoch) + " " +
                    std::to_string(cached.view.revision()) + " " +
                    std::to_string(cached.view.size()) + "\n";
  cached.view.ForEach([&out](const state::ObjectPtr& object) {
    const std::string_view document = object->document.Bytes();
    out += std::to_string(object->revision) + " " + object->key.resource + " " +
           (object->key.ns.empty() ? "-" : object->key.ns) + " " + object->key.name + " " +
           std::to_string(document.size()) + "\n";
    out += document;
    out += '\n';
  });
  return out + base::Sha256Hex(out);
}

std::optional<CachedView> DecodeView(std::string_view bytes) {
  if (bytes.size() < kDigestBytes) return std::nullopt;
  const std::string_view content = bytes.substr(0, bytes.size() - kDigestBytes);
  if (base::Sha256Hex(content) != bytes.substr(content.size())) return std::nullopt;
  std::istringstream in{std::string(content)};
  std::string format, version;
  CachedView cached;
  state::Revision revision = 0;
  size_t count = 0;
  in >> format >> version >> cached.epoch >> revision >> count;
  if (format + " " + version != kFormat) return std::nullopt;
  if (cached.epoch == "-") cached.epoch.clear();
  for (size_t i = 0; i < count; ++i) {
    auto object = std::make_shared<state::Object>();
    size_t size = 0;
    in >> object->revision >> object->key.resource >> object->key.ns >> object->key.name >> size;
    if (!in || size > content.size()) return std::nullopt;
    if (object->key.ns == "-") object->key.ns.clear();
    std::string document(size, '\0');
    in.get();
    in.read(document.data(), static_cast<std::streamsize>(size));
    auto parsed = base::Document::Parse(document);
    if (!in || !parsed.ok()) return std::nullopt;
    object->document = *std::move(parsed);
    cached.view.Put(std::move(object));
  }
  cached.view.set_revision(revision);
  return cached;
}

std::optional<CachedView> FileViewCache::Load() {
  const base::Result<std::string> bytes = base::ReadFile(path_, kMaxViewCacheBytes);
  if (!bytes.ok()) {
    if (bytes.status().code() != base::Code::kNotFound) {
      base::LogWarning("cached view not read", {{"why", bytes.status().ToString()}});
    }
    return std::nullopt;
  }
  std::optional<CachedView> cached = DecodeView(*bytes);
  if (!cached) base::LogWarning("cached view is damaged; asking for all", {{"path", path_}});
  return cached;
}

base::Status FileViewCache::Save(const CachedView& view) {
  return base::WriteFileAtomic(path_, EncodeView(view), 0600);
}

}  // namespace nodeagent

#include "state/record.h"

#include <algorithm>
#include <memory>

#include "base/hash.h"

namespace state {
namespace {

constexpr uint8_t kRemoved = 1;
constexpr uint8_t kLast = 2;
constexpr uint8_t kManaged = 4;  // managers follow the key

constexpr int64_t kNanos = 1'000'000'000;

// Takes what a string takes, and counts it.
class ByteCounter {
 public:
  void operator+=(char) { ++bytes_; }
  void operator+=(std::string_view text) { bytes_ += text.size(); }
  size_t bytes() const { return bytes_; }

 private:
  size_t bytes_ = 0;
};

template <typename Out>
void AppendVarint(uint64_t value, Out& out) {
  while (value >= 0x80) {
    out += static_cast<char>(value | 0x80);
    value >>= 7;
  }
  out += static_cast<char>(value);
}

template <typename Out>
void AppendField(std::string_view field, Out& out) {
  AppendVarint(field.size(), out);
  out += field;
}

bool TakeVarint(std::string_view& bytes, uint64_t& value) {
  value = 0;
  for (int shift = 0;; shift += 7) {
    if (bytes.empty() || shift > 56) return false;
    const uint8_t byte = static_cast<uint8_t>(bytes.front());
    bytes.remove_prefix(1);
    value |= static_cast<uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return true;
  }
}

bool TakeField(std::string_view& bytes, std::string& field) {
  uint64_t length = 0;
  if (!TakeVarint(bytes, length) || length > bytes.size()) return false;
  field = std::string(bytes.substr(0, length));
  bytes.remove_prefix(length);
  return true;
}

// How many; then of each whether it applies, its name, version and subresource, the time in seconds
// and the bytes of its set.
template <typename Out>
void AppendManagers(const manifests::ManagedFields& managers, Out& out) {
  AppendVarint(managers.size(), out);
  for (const manifests::ManagedEntry& entry : managers) {
    AppendVarint(entry.manager->applies ? 1 : 0, out);
    AppendField(entry.manager->name, out);
    AppendField(entry.manager->api_version, out);
    AppendField(entry.manager->subresource, out);
    AppendVarint(static_cast<uint64_t>(std::max<int64_t>(0, entry.time.nanos() / kNanos)), out);
    std::string set;
    AppendField(entry.fields->Bytes(set), out);
  }
}

bool TakeManagers(std::string_view& bytes, manifests::ManagedFieldsPtr& managers) {
  uint64_t count = 0;
  if (!TakeVarint(bytes, count) || count > bytes.size()) return false;
  manifests::ManagedFields entries;
  for (uint64_t i = 0; i < count; ++i) {
    manifests::FieldManager manager;
    uint64_t applies = 0, seconds = 0;
    std::string set;
    const bool whole = TakeVarint(bytes, applies) && TakeField(bytes, manager.name) &&
                       TakeField(bytes, manager.api_version) &&
                       TakeField(bytes, manager.subresource) && TakeVarint(bytes, seconds) &&
                       TakeField(bytes, set);
    if (!whole) return false;
    base::Result<manifests::FieldSet> fields = manifests::FieldSet::FromBytes(std::move(set));
    if (!fields.ok()) return false;
    manager.applies = applies != 0;
    entries.push_back({std::make_shared<const manifests::FieldManager>(std::move(manager)),
                       base::WallTime::FromSeconds(static_cast<int64_t>(seconds)),
                       std::make_shared<const manifests::FieldSet>(*std::move(fields))});
  }
  managers = std::make_shared<const manifests::ManagedFields>(std::move(entries));
  return true;
}

// All but the checksum.
template <typename Out>
void AppendContent(const Record& record, Out& out) {
  const Object& object = *record.object;
  const bool managed = object.managers != nullptr && !object.managers->empty();
  out += static_cast<char>((record.removed ? kRemoved : 0) | (record.last ? kLast : 0) |
                           (managed ? kManaged : 0));
  AppendField(object.key.resource, out);
  AppendField(object.key.ns, out);
  AppendField(object.key.name, out);
  if (managed) AppendManagers(*object.managers, out);
  out += object.document.Bytes();
}

}  // namespace

std::string RecordKey(Revision revision) {
  std::string key(kLogFirst);
  for (int shift = 56; shift >= 0; shift -= 8) key += static_cast<char>(revision >> shift);
  return key;
}

base::Result<Revision> ParseRecordKey(std::string_view key) {
  if (key.size() != 9 || key[0] != kLogFirst[0]) {
    return base::Status(base::Code::kCorruption,
                        "a log record has a key of " + std::to_string(key.size()) + " bytes");
  }
  Revision revision = 0;
  for (const char c : key.substr(1)) revision = revision << 8 | static_cast<uint8_t>(c);
  return revision;
}

std::string EncodeRecord(const Record& record) {
  std::string bytes;
  bytes.reserve(RecordSize(record));
  AppendContent(record, bytes);
  const uint32_t crc = base::Crc32c(bytes);
  for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(crc >> shift);
  return bytes;
}

size_t RecordSize(const Record& record) {
  ByteCounter counter;
  AppendContent(record, counter);
  return counter.bytes() + sizeof(uint32_t);
}

base::Result<Record> DecodeRecord(Revision revision, std::string_view bytes) {
  const auto corrupt = [&](const char* what) {
    return base::Status(base::Code::kCorruption,
                        "the log record of revision " + std::to_string(revision) + " " + what);
  };
  if (bytes.size() < 5) return corrupt("is too short");
  uint32_t crc = 0;
  for (size_t i = 0; i < 4; ++i)
    crc |= static_cast<uint32_t>(static_cast<uint8_t>(bytes[bytes.size() - 4 + i])) << 8 * i;
  bytes.remove_suffix(4);
  if (base::Crc32c(bytes) != crc) return corrupt("has a wrong checksum");
  const uint8_t flags = static_cast<uint8_t>(bytes.front());
  bytes.remove_prefix(1);
  auto object = std::make_shared<Object>();
  object->revision = revision;
  if (!TakeField(bytes, object->key.resource) || !TakeField(bytes, object->key.ns) ||
      !TakeField(bytes, object->key.name)) {
    return corrupt("has a malformed key");
  }
  if ((flags & kManaged) != 0 && !TakeManagers(bytes, object->managers))
    return corrupt("has malformed managers of fields");
  base::Result<base::Document> document = base::Document::Parse(bytes);
  if (!document.ok()) return corrupt("holds no JSON document");
  object->document = *std::move(document);
  return Record{(flags & kRemoved) != 0, (flags & kLast) != 0, std::move(object)};
}

}  // namespace state

#include "plumb/server/source_archive.h"

#include <charconv>

#include "base/json.h"
#include "gitsync/source/git_rules.h"

namespace plumb {
namespace {

using base::Json;

base::Status NotAnArchive(const std::string& what) {
  return base::Status(base::Code::kBadRequest, "the body is not what plumb diff sends: " + what +
                                                   "; use a plumb of the server's version");
}

// Cuts the first line off; false if there is none.
bool TakeLine(std::string_view& bytes, std::string_view& line) {
  const size_t end = bytes.find('\n');
  if (end == std::string_view::npos) return false;
  line = bytes.substr(0, end);
  bytes.remove_prefix(end + 1);
  return true;
}

base::Status ReadEntries(const Json& head, SourceArchive& archive) {
  if (head["entries"].size() > gitsync::kMaxTreeEntries) {
    return base::Status(base::Code::kTooLarge,
                        "the commit has " + std::to_string(head["entries"].size()) +
                            " files; the limit is " + std::to_string(gitsync::kMaxTreeEntries));
  }
  for (const Json& entry : head["entries"].Elements()) {
    gitsync::TreeEntry file;
    file.mode = static_cast<uint32_t>(entry.At(0).AsInt());
    file.oid = entry.At(1).AsString();
    file.size = static_cast<uint64_t>(entry.At(2).AsInt());
    file.path = entry.At(3).AsString();
    if (!gitsync::IsObjectId(file.oid) || file.path.empty()) {
      return NotAnArchive("a file lacks its path or object id");
    }
    archive.entries.push_back(std::move(file));
  }
  return base::Status();
}

base::Status ReadBlobs(std::string_view bytes, SourceArchive& archive) {
  while (!bytes.empty()) {
    std::string_view line;
    if (!TakeLine(bytes, line)) return NotAnArchive("it ends within a line");
    const std::string_view oid = line.substr(0, line.find(' '));
    size_t size = 0;
    const char* end = line.data() + line.size();
    if (!gitsync::IsObjectId(oid) || line.size() < 42 ||
        std::from_chars(line.data() + 41, end, size).ptr != end || size >= bytes.size() ||
        bytes[size] != '\n') {
      return NotAnArchive("a blob is cut short");
    }
    if (size > gitsync::kMaxBlobBytes) {
      return base::Status(base::Code::kTooLarge, "a manifest has " + std::to_string(size) +
                                                     " bytes; the limit is " +
                                                     std::to_string(gitsync::kMaxBlobBytes));
    }
    archive.blobs.emplace(oid, bytes.substr(0, size));
    bytes.remove_prefix(size + 1);
  }
  return base::Status();
}

}  // namespace

base::Result<std::string> SourceArchive::Blob(const std::string& oid) const {
  const auto found = blobs.find(oid);
  if (found != blobs.end()) return found->second;
  return base::Status(base::Code::kInvalid,
                      "the server wants a file that plumb diff did not send; use a plumb of the "
                      "server's version");
}

std::string EncodeArchive(const SourceArchive& archive) {
  Json entries = Json::MakeArray();
  for (const gitsync::TreeEntry& file : archive.entries) {
    entries.Append(Json::MakeArray(
        {int64_t{file.mode}, file.oid, static_cast<int64_t>(file.size), file.path}));
  }
  std::string bytes =
      Json::MakeObject(
          {{"commit", archive.commit}, {"tree", archive.tree}, {"entries", std::move(entries)}})
          .ToString() +
      "\n";
  for (const auto& [oid, content] : archive.blobs) {
    bytes += oid + " " + std::to_string(content.size()) + "\n" + content + "\n";
  }
  return bytes;
}

base::Result<SourceArchive> DecodeArchive(std::string_view bytes) {
  std::string_view line;
  if (!TakeLine(bytes, line)) return NotAnArchive("it has no first line");
  ASSIGN_OR_RETURN(const Json head, base::ParseJson(line));
  SourceArchive archive;
  archive.commit = head["commit"].AsString();
  archive.tree = head["tree"].AsString();
  RETURN_IF_ERROR(ReadEntries(head, archive));
  RETURN_IF_ERROR(ReadBlobs(bytes, archive));
  return archive;
}

}  // namespace plumb

// An object's size is asked for before the object is read: a pushed bomb costs a header. A tree is
// walked depth first with three limits (entries, depth, bytes of one tree object), and directories
// count like files, so that a tree of empty directories ends, too.
//
// Nothing follows a symbolic link, and a submodule is listed, not entered: both are entries with
// their mode, and mean what the sync engine says.
#include "gitsync/edge/git_reader.h"

#include <algorithm>

#include "gitsync/source/git_rules.h"

namespace gitsync {

using base::Code;
using base::Result;
using base::Status;

namespace {

inline constexpr size_t kMaxTreeObjectBytes = 16u << 20;  // one directory
inline constexpr size_t kMaxCommitBytes = 2u << 20;       // its message included
// What WallTime can hold, in seconds; a commit may claim any time.
inline constexpr git_time_t kLatestTime = 9'000'000'000;

struct Header {
  size_t size = 0;
  git_object_t type = GIT_OBJECT_INVALID;
};

Result<Header> ReadHeader(git_odb* odb, const git_oid& oid) {
  Header header;
  if (const int error = git_odb_read_header(&header.size, &header.type, odb, &oid); error < 0) {
    if (error == GIT_ENOTFOUND) {
      return Status(Code::kNotFound, "the repository has no object " + ToText(oid));
    }
    return GitFailure(error, "cannot read object " + ToText(oid));
  }
  return header;
}

// The header of an object that must be a `type` of at most `limit` bytes.
Result<Header> CheckObject(git_odb* odb, const git_oid& oid, git_object_t type, size_t limit) {
  ASSIGN_OR_RETURN(const Header header, ReadHeader(odb, oid));
  const std::string wanted = git_object_type2string(type);
  if (header.type != type) {
    return Status(Code::kInvalid, "object " + ToText(oid) + " is a " +
                                      git_object_type2string(header.type) + ", not a " + wanted);
  }
  if (header.size > limit) {
    return Status(Code::kTooLarge, wanted + " " + ToText(oid) + " has " +
                                       std::to_string(header.size) + " bytes, more than " +
                                       std::to_string(limit));
  }
  return header;
}

class TreeWalk {
 public:
  TreeWalk(git_repository* repository, git_odb* odb) : repository_(repository), odb_(odb) {}

  Status Walk(const git_oid& tree_oid, const std::string& prefix, size_t depth) {
    if (depth > kMaxTreeDepth) {
      return Status(Code::kTooLarge, "directory \"" + prefix + "\" lies deeper than " +
                                         std::to_string(kMaxTreeDepth) + " levels");
    }
    if (Status size = CheckObject(odb_, tree_oid, GIT_OBJECT_TREE, kMaxTreeObjectBytes).status();
        !size.ok()) {
      return size.WithContext("directory \"" + prefix + "\"");
    }
    TreeHandle tree;
    if (const int error = git_tree_lookup(OwnedBy(tree), repository_, &tree_oid); error < 0) {
      return GitFailure(error, "cannot read directory \"" + prefix + "\"");
    }
    const size_t count = git_tree_entrycount(tree.get());
    for (size_t i = 0; i < count; ++i) {
      RETURN_IF_ERROR(Visit(*git_tree_entry_byindex(tree.get(), i), prefix, depth));
    }
    return {};
  }
  std::vector<TreeEntry> TakeEntries() { return std::move(entries_); }

 private:
  Status Visit(const git_tree_entry& item, const std::string& prefix, size_t depth) {
    const std::string path = prefix + git_tree_entry_name(&item);
    if (++visited_ > kMaxTreeEntries) {
      return Status(Code::kTooLarge,
                    "the commit holds more than " + std::to_string(kMaxTreeEntries) +
                        " files and directories; the first beyond is \"" + path + "\"");
    }
    const git_oid& oid = *git_tree_entry_id(&item);
    const git_object_t type = git_tree_entry_type(&item);
    if (type == GIT_OBJECT_TREE) return Walk(oid, path + "/", depth + 1);
    TreeEntry entry{path, ToText(oid), static_cast<uint32_t>(git_tree_entry_filemode_raw(&item)),
                    0};
    if (type == GIT_OBJECT_BLOB) {
      Result<Header> header = ReadHeader(odb_, oid);
      if (!header.ok()) return header.status().WithContext("file \"" + path + "\"");
      entry.size = header->size;
    }
    entries_.push_back(std::move(entry));
    return {};
  }

  git_repository* repository_;
  git_odb* odb_;
  size_t visited_ = 0;
  std::vector<TreeEntry> entries_;
};

// Two trees side by side, in git's order of entries; what has the same id on both sides is not
// entered, so a one-line change costs the directories above it.
class TreeComparison {
 public:
  TreeComparison(git_repository* repository, git_odb* odb, size_t most)
      : repository_(repository), odb_(odb), most_(most) {}

  // Either side may be absent.
  Status Compare(const git_oid* before, const git_oid* after, const std::string& prefix,
                 size_t depth) {
    ASSIGN_OR_RETURN(const TreeHandle left, Open(before, prefix, depth));
    ASSIGN_OR_RETURN(const TreeHandle right, Open(after, prefix, depth));
    const size_t left_count = left ? git_tree_entrycount(left.get()) : 0;
    const size_t right_count = right ? git_tree_entrycount(right.get()) : 0;
    for (size_t i = 0, j = 0; i < left_count || j < right_count;) {
      const git_tree_entry* a = i < left_count ? git_tree_entry_byindex(left.get(), i) : nullptr;
      const git_tree_entry* b = j < right_count ? git_tree_entry_byindex(right.get(), j) : nullptr;
      const int order = a == nullptr ? 1 : b == nullptr ? -1 : git_tree_entry_cmp(a, b);
      if (order <= 0) ++i;
      if (order >= 0) ++j;
      RETURN_IF_ERROR(Visit(order <= 0 ? a : nullptr, order >= 0 ? b : nullptr, prefix, depth));
    }
    return {};
  }
  std::vector<TreeChange> TakeChanges() { return std::move(changes_); }

 private:
  Result<TreeHandle> Open(const git_oid* oid, const std::string& prefix, size_t depth) {
    TreeHandle tree;
    if (oid == nullptr) return tree;
    if (depth > kMaxTreeDepth || ++opened_ > kMaxTreeEntries) {
      return Status(Code::kTooLarge, "directory \"" + prefix + "\" lies too deep, or there are " +
                                         "too many of them");
    }
    RETURN_IF_ERROR(CheckObject(odb_, *oid, GIT_OBJECT_TREE, kMaxTreeObjectBytes).status());
    if (const int error = git_tree_lookup(OwnedBy(tree), repository_, oid); error < 0) {
      return GitFailure(error, "cannot read directory \"" + prefix + "\"");
    }
    return tree;
  }

  Status Visit(const git_tree_entry* a, const git_tree_entry* b, const std::string& prefix,
               size_t depth) {
    if (a != nullptr && b != nullptr && git_oid_equal(git_tree_entry_id(a), git_tree_entry_id(b)) &&
        git_tree_entry_filemode_raw(a) == git_tree_entry_filemode_raw(b)) {
      return {};
    }
    const std::string path = prefix + git_tree_entry_name(a != nullptr ? a : b);
    const auto directory = [](const git_tree_entry* item) {
      return item != nullptr && git_tree_entry_type(item) == GIT_OBJECT_TREE;
    };
    if (directory(a) || directory(b)) {  // of one order, so both are, or one is absent
      return Compare(a != nullptr ? git_tree_entry_id(a) : nullptr,
                     b != nullptr ? git_tree_entry_id(b) : nullptr, path + "/", depth + 1);
    }
    if (changes_.size() == most_) {
      return Status(Code::kTooLarge, "more than " + std::to_string(most_) + " files differ");
    }
    TreeChange& change = changes_.emplace_back();
    if (a != nullptr) change.before = EntryOf(*a, path);
    if (b == nullptr) return {};
    change.after = EntryOf(*b, path);
    if (git_tree_entry_type(b) != GIT_OBJECT_BLOB) return {};
    ASSIGN_OR_RETURN(const Header header, ReadHeader(odb_, *git_tree_entry_id(b)));
    change.after->size = header.size;
    return {};
  }

  static TreeEntry EntryOf(const git_tree_entry& item, const std::string& path) {
    return TreeEntry{path, ToText(*git_tree_entry_id(&item)),
                     static_cast<uint32_t>(git_tree_entry_filemode_raw(&item)), 0};
  }

  git_repository* repository_;
  git_odb* odb_;
  const size_t most_;
  size_t opened_ = 0;
  std::vector<TreeChange> changes_;
};

}  // namespace

Result<OdbHandle> OdbOf(git_repository* repository) {
  OdbHandle odb;
  if (const int error = git_repository_odb(OwnedBy(odb), repository); error < 0) {
    return GitFailure(error, "cannot open the object database");
  }
  return odb;
}

Result<std::optional<git_oid>> LookUpRef(git_repository* repository, const std::string& ref) {
  git_oid oid;
  const int error = git_reference_name_to_id(&oid, repository, ref.c_str());
  if (error == GIT_ENOTFOUND) return std::optional<git_oid>();
  if (error < 0) return GitFailure(error, "cannot read ref " + ref);
  return std::optional(oid);
}

Result<CommitHandle> LookUpCommit(git_repository* repository, const git_oid& oid) {
  ASSIGN_OR_RETURN(const OdbHandle odb, OdbOf(repository));
  RETURN_IF_ERROR(CheckObject(odb.get(), oid, GIT_OBJECT_COMMIT, kMaxCommitBytes).status());
  CommitHandle commit;
  if (const int error = git_commit_lookup(OwnedBy(commit), repository, &oid); error < 0) {
    return GitFailure(error, "cannot read commit " + ToText(oid));
  }
  return commit;
}

Result<std::string> ReadRefCommit(git_repository* repository, const std::string& ref) {
  ReferenceHandle reference;
  int error = git_reference_lookup(OwnedBy(reference), repository, ref.c_str());
  if (error == GIT_ENOTFOUND) return Status(Code::kNotFound, "there is no ref " + ref);
  if (error < 0) return GitFailure(error, "cannot read ref " + ref);
  ObjectHandle commit;
  error = git_reference_peel(OwnedBy(commit), reference.get(), GIT_OBJECT_COMMIT);
  // HEAD of a repository without commits names a branch that is not there yet.
  if (error == GIT_ENOTFOUND) return Status(Code::kNotFound, "ref " + ref + " has no commit yet");
  if (error == GIT_EPEEL || error == GIT_EINVALIDSPEC) {
    return Status(Code::kInvalid, "ref " + ref + " does not name a commit");
  }
  if (error < 0) return GitFailure(error, "cannot read ref " + ref);
  return ToText(*git_object_id(commit.get()));
}

Result<size_t> CountRefsLike(git_repository* repository, const char* pattern) {
  size_t count = 0;
  const int error = git_reference_foreach_glob(
      repository, pattern,
      [](const char*, void* counted) { return ++*static_cast<size_t*>(counted), 0; }, &count);
  if (error < 0) return GitFailure(error, "cannot count refs");
  return count;
}

bool HasObject(git_repository* repository, const std::string& oid) {
  const Result<git_oid> id = ParseOid(oid);
  const Result<OdbHandle> odb = OdbOf(repository);
  return id.ok() && odb.ok() && git_odb_exists(odb->get(), &*id) == 1;
}

Result<CommitInfo> ReadCommitInfo(git_repository* repository, const std::string& oid) {
  ASSIGN_OR_RETURN(const git_oid id, ParseOid(oid));
  ASSIGN_OR_RETURN(const CommitHandle commit, LookUpCommit(repository, id));
  CommitInfo info;
  info.oid = oid;
  info.tree = ToText(*git_commit_tree_id(commit.get()));
  for (unsigned i = 0; i < git_commit_parentcount(commit.get()); ++i) {
    info.parents.push_back(ToText(*git_commit_parent_id(commit.get(), i)));
  }
  const git_signature& author = *git_commit_author(commit.get());
  info.author_name = author.name;
  info.author_email = author.email;
  info.author_time =
      base::WallTime::FromSeconds(std::clamp<git_time_t>(author.when.time, 0, kLatestTime));
  MessageParts parts = SplitMessage(git_commit_message_raw(commit.get()));
  info.subject = std::move(parts.subject);
  info.body = std::move(parts.body);
  return info;
}

Result<std::vector<TreeEntry>> ReadCommitTree(git_repository* repository,
                                              const std::string& commit) {
  ASSIGN_OR_RETURN(const git_oid id, ParseOid(commit));
  ASSIGN_OR_RETURN(const CommitHandle handle, LookUpCommit(repository, id));
  ASSIGN_OR_RETURN(const OdbHandle odb, OdbOf(repository));
  TreeWalk walk(repository, odb.get());
  RETURN_IF_ERROR(walk.Walk(*git_commit_tree_id(handle.get()), "", 1));
  std::vector<TreeEntry> entries = walk.TakeEntries();
  // A tree object sorts "a/" behind "a-b"; a list of paths does not.
  std::sort(entries.begin(), entries.end(),
            [](const TreeEntry& a, const TreeEntry& b) { return a.path < b.path; });
  return entries;
}

Result<std::vector<TreeChange>> DiffCommits(git_repository* repository, const std::string& from,
                                            const std::string& to, size_t most) {
  ASSIGN_OR_RETURN(const git_oid from_id, ParseOid(from));
  ASSIGN_OR_RETURN(const git_oid to_id, ParseOid(to));
  ASSIGN_OR_RETURN(const CommitHandle before, LookUpCommit(repository, from_id));
  ASSIGN_OR_RETURN(const CommitHandle after, LookUpCommit(repository, to_id));
  if (git_oid_equal(git_commit_tree_id(before.get()), git_commit_tree_id(after.get()))) {
    return std::vector<TreeChange>();
  }
  ASSIGN_OR_RETURN(const OdbHandle odb, OdbOf(repository));
  TreeComparison comparison(repository, odb.get(), most);
  RETURN_IF_ERROR(
      comparison.Compare(git_commit_tree_id(before.get()), git_commit_tree_id(after.get()), "", 1));
  std::vector<TreeChange> changes = comparison.TakeChanges();
  std::sort(changes.begin(), changes.end(),
            [](const TreeChange& a, const TreeChange& b) { return a.path() < b.path(); });
  return changes;
}

Result<std::string> ReadBlobContent(git_repository* repository, const std::string& oid) {
  ASSIGN_OR_RETURN(const git_oid id, ParseOid(oid));
  ASSIGN_OR_RETURN(const OdbHandle odb, OdbOf(repository));
  RETURN_IF_ERROR(CheckObject(odb.get(), id, GIT_OBJECT_BLOB, kMaxBlobBytes).status());
  OdbObjectHandle object;
  if (const int error = git_odb_read(OwnedBy(object), odb.get(), &id); error < 0) {
    return GitFailure(error, "cannot read blob " + oid);
  }
  return std::string(static_cast<const char*>(git_odb_object_data(object.get())),
                     git_odb_object_size(object.get()));
}

}  // namespace gitsync

// A ref moves under its lock file, the one that git takes as well: lock, read, compare with the
// commit that ours was made on, write. So neither a push nor a second writer is ever overwritten,
// not even by the first commit of a ref.
//
// Every object is synced before the ref names it. A commit that brings many new files would wait
// for the disk once a file: beyond kMaxLooseFiles they are written as one pack.
#include "gitsync/edge/git_writer.h"

#include <git2/sys/mempack.h>
#include <git2/sys/odb_backend.h>

#include <chrono>
#include <set>
#include <thread>

#include "gitsync/edge/git_reader.h"

namespace gitsync {

using base::Code;
using base::Result;
using base::Status;

namespace {

inline constexpr int kMoveAttempts = 8;    // of a commit, while others move the ref
inline constexpr int kLockAttempts = 100;  // of taking a ref's lock
inline constexpr std::chrono::milliseconds kLockWait(10);
inline constexpr size_t kMaxLooseFiles = 64;
inline constexpr int kAboveDisk = 1000;  // priority: libgit2's own backends have 1 and 2

// Takes the lock of a ref. Git holds it for the time of a rename.
Status LockRef(git_transaction* transaction, const std::string& ref) {
  int error = GIT_ELOCKED;
  for (int i = 0; i < kLockAttempts && error == GIT_ELOCKED; ++i) {
    if (i > 0) std::this_thread::sleep_for(kLockWait);
    error = git_transaction_lock_ref(transaction, ref.c_str());
  }
  if (error == GIT_ELOCKED) {
    return Status(Code::kUnavailable, "ref " + ref +
                                          " stays locked by another writer; if none "
                                          "runs, remove the file " +
                                          ref + ".lock in the repository");
  }
  if (error < 0) return GitFailure(error, "cannot lock ref " + ref);
  return {};
}

// kConflict if the ref is not `from` (nothing: must not exist).
Status MoveRef(git_repository* repository, const std::string& ref,
               const std::optional<git_oid>& from, const git_oid& to, const git_signature* who) {
  TransactionHandle transaction;
  if (const int error = git_transaction_new(OwnedBy(transaction), repository); error < 0) {
    return GitFailure(error, "cannot move ref " + ref);
  }
  RETURN_IF_ERROR(LockRef(transaction.get(), ref));
  ASSIGN_OR_RETURN(const std::optional<git_oid> now, LookUpRef(repository, ref));
  const bool same = now && from ? git_oid_equal(&*now, &*from) != 0 : !now && !from;
  if (!same) {
    return Status(Code::kConflict, "ref " + ref + " was moved by another writer; try again");
  }
  int error = git_transaction_set_target(transaction.get(), ref.c_str(), &to, who, "commit");
  if (error == 0) error = git_transaction_commit(transaction.get());
  if (error < 0) return GitFailure(error, "cannot move ref " + ref);
  return {};
}

// True if more than `limit` commits lie behind `tip`, itself included, along first parents.
Result<bool> HasMoreCommits(git_repository* repository, const git_oid& tip, size_t limit) {
  git_oid at = tip;
  for (size_t count = 1; count <= limit; ++count) {
    ASSIGN_OR_RETURN(const CommitHandle commit, LookUpCommit(repository, at));
    if (git_commit_parentcount(commit.get()) == 0) return false;
    at = *git_commit_parent_id(commit.get(), 0);
  }
  return true;
}

Result<git_oid> WriteCommit(git_repository* repository, const git_oid& tree_oid,
                            const git_commit* parent, const CommitWords& words,
                            const git_signature* who) {
  TreeHandle tree;
  int error = git_tree_lookup(OwnedBy(tree), repository, &tree_oid);
  const git_commit* parents[] = {parent};
  git_oid oid;
  if (error == 0) {
    error = git_commit_create(&oid, repository, nullptr, who, who, nullptr, words.message.c_str(),
                              tree.get(), parent != nullptr ? 1 : 0, parents);
  }
  if (error < 0) return GitFailure(error, "cannot write a commit");
  return oid;
}

Status Insert(git_treebuilder* builder, const std::string& name, const git_oid& oid,
              git_filemode_t mode) {
  const int error = git_treebuilder_insert(nullptr, builder, name.c_str(), &oid, mode);
  if (error < 0) return GitFailure(error, "cannot write file \"" + name + "\"");
  return {};
}

Result<TreeBuilderHandle> NewTree(git_repository* repository, const git_tree* base) {
  TreeBuilderHandle builder;
  if (const int error = git_treebuilder_new(OwnedBy(builder), repository, base); error < 0) {
    return GitFailure(error, "cannot write a tree");
  }
  return builder;
}

Result<git_oid> Finish(git_treebuilder* builder) {
  git_oid oid;
  if (const int error = git_treebuilder_write(&oid, builder); error < 0) {
    return GitFailure(error, "cannot write a tree");
  }
  return oid;
}

// Nothing is removed behind our back (gc.auto=0): a blob that is there need not be touched.
Result<git_oid> WriteBlob(git_odb* odb, const std::string& content) {
  git_oid oid;
  int error = git_odb_hash(&oid, content.data(), content.size(), GIT_OBJECT_BLOB);
  if (error == 0 && git_odb_exists_ext(odb, &oid, GIT_ODB_LOOKUP_NO_REFRESH) != 0) return oid;
  if (error == 0) error = git_odb_write(&oid, odb, content.data(), content.size(), GIT_OBJECT_BLOB);
  if (error < 0) return GitFailure(error, "cannot write a blob");
  return oid;
}

Result<git_oid> WriteDirectory(git_repository* repository, git_odb* odb,
                               const Directory& directory) {
  ASSIGN_OR_RETURN(const TreeBuilderHandle builder, NewTree(repository, nullptr));
  for (const auto& [name, content] : directory.files) {
    ASSIGN_OR_RETURN(const git_oid oid, WriteBlob(odb, *content));
    RETURN_IF_ERROR(Insert(builder.get(), name, oid, GIT_FILEMODE_BLOB));
  }
  for (const auto& [name, child] : directory.directories) {
    ASSIGN_OR_RETURN(const git_oid oid, WriteDirectory(repository, odb, child));
    RETURN_IF_ERROR(Insert(builder.get(), name, oid, GIT_FILEMODE_TREE));
  }
  return Finish(builder.get());
}

// `base` may be null. The directories that neither names stay the objects they are; one that ends
// up empty is left out, as in every tree of git's.
Result<std::optional<git_oid>> ChangeDirectory(git_repository* repository, git_odb* odb,
                                               const git_tree* base, const Directory& written,
                                               const Directory& removed) {
  ASSIGN_OR_RETURN(const TreeBuilderHandle builder, NewTree(repository, base));
  for (const auto& [name, content] : removed.files) {
    if (git_treebuilder_get(builder.get(), name.c_str()) != nullptr) {
      git_treebuilder_remove(builder.get(), name.c_str());
    }
  }
  for (const auto& [name, content] : written.files) {
    ASSIGN_OR_RETURN(const git_oid oid, WriteBlob(odb, *content));
    RETURN_IF_ERROR(Insert(builder.get(), name, oid, GIT_FILEMODE_BLOB));
  }
  std::set<std::string> names;
  for (const auto& [name, child] : written.directories) names.insert(name);
  for (const auto& [name, child] : removed.directories) names.insert(name);
  const Directory none;
  const auto child_of = [&](const Directory& parent, const std::string& name) -> const Directory& {
    const auto found = parent.directories.find(name);
    return found == parent.directories.end() ? none : found->second;
  };
  for (const std::string& name : names) {
    TreeHandle old;
    const git_tree_entry* entry = git_treebuilder_get(builder.get(), name.c_str());
    if (entry != nullptr && git_tree_entry_type(entry) == GIT_OBJECT_TREE) {
      const int error = git_tree_lookup(OwnedBy(old), repository, git_tree_entry_id(entry));
      if (error < 0) return GitFailure(error, "cannot read a tree");
    }
    ASSIGN_OR_RETURN(const std::optional<git_oid> oid,
                     ChangeDirectory(repository, odb, old.get(), child_of(written, name),
                                     child_of(removed, name)));
    if (oid) {
      RETURN_IF_ERROR(Insert(builder.get(), name, *oid, GIT_FILEMODE_TREE));
    } else if (git_treebuilder_get(builder.get(), name.c_str()) != nullptr) {
      git_treebuilder_remove(builder.get(), name.c_str());
    }
  }
  if (git_treebuilder_entrycount(builder.get()) == 0) return std::optional<git_oid>();
  ASSIGN_OR_RETURN(const git_oid oid, Finish(builder.get()));
  return std::optional<git_oid>(oid);
}

size_t CountNewFiles(git_odb* odb, const Directory& directory) {
  size_t count = 0;
  for (const auto& [name, content] : directory.files) {
    git_oid oid;
    git_odb_hash(&oid, content->data(), content->size(), GIT_OBJECT_BLOB);
    if (git_odb_exists_ext(odb, &oid, GIT_ODB_LOOKUP_NO_REFRESH) == 0) ++count;
  }
  for (const auto& [name, child] : directory.directories) count += CountNewFiles(odb, child);
  return count;
}

// Writes the tree into memory and from there, as one pack, into the repository.
Result<git_oid> WriteAsPack(git_repository* repository, git_odb* odb, const Directory& root) {
  const std::string objects = std::string(git_repository_path(repository)) + "objects";
  OdbHandle staging;
  git_odb_backend* memory = nullptr;
  RepositoryHandle staged;
  int error = git_odb_open(OwnedBy(staging), objects.c_str());
  if (error == 0) error = git_mempack_new(&memory);
  if (error == 0) error = git_odb_add_backend(staging.get(), memory, kAboveDisk);
  if (error == 0) error = git_repository_wrap_odb(OwnedBy(staged), staging.get());
  if (error < 0) return GitFailure(error, "cannot prepare a pack");
  ASSIGN_OR_RETURN(const git_oid tree, WriteDirectory(staged.get(), staging.get(), root));

  PackBuilderHandle pack;
  error = git_packbuilder_new(OwnedBy(pack), staged.get());
  if (error == 0) error = git_packbuilder_insert_tree(pack.get(), &tree);
  if (error == 0) {
    error = git_packbuilder_write(pack.get(), (objects + "/pack").c_str(), 0, nullptr, nullptr);
  }
  if (error == 0) error = git_odb_refresh(odb);
  if (error < 0) return GitFailure(error, "cannot write a pack");
  return tree;
}

}  // namespace

Result<std::string> AddCommit(git_repository* repository, const std::string& ref,
                              size_t keep_history, const CommitWords& words,
                              const MakeTree& make_tree) {
  SignatureHandle who;
  if (const int error = git_signature_new(OwnedBy(who), words.author_name.c_str(),
                                          words.author_email.c_str(), words.time.seconds(), 0);
      error < 0) {
    return GitFailure(error, "cannot use author " + words.author_name);
  }
  Status moved;
  for (int attempt = 0; attempt < kMoveAttempts; ++attempt) {
    ASSIGN_OR_RETURN(const std::optional<git_oid> from, LookUpRef(repository, ref));
    CommitHandle tip;
    if (from) {
      ASSIGN_OR_RETURN(tip, LookUpCommit(repository, *from));
    }
    ASSIGN_OR_RETURN(const git_oid tree, make_tree(tip.get()));
    if (tip && git_oid_equal(git_commit_tree_id(tip.get()), &tree)) return ToText(*from);
    bool start_again = false;
    if (from && keep_history > 0) {
      ASSIGN_OR_RETURN(start_again, HasMoreCommits(repository, *from, keep_history));
    }
    ASSIGN_OR_RETURN(
        const git_oid commit,
        WriteCommit(repository, tree, start_again ? nullptr : tip.get(), words, who.get()));
    moved = MoveRef(repository, ref, from, commit, who.get());
    if (moved.ok()) return ToText(commit);
    if (moved.code() != Code::kConflict) break;
  }
  return moved;
}

Result<git_oid> WriteTree(git_repository* repository, const Directory& root) {
  ASSIGN_OR_RETURN(const OdbHandle odb, OdbOf(repository));
  if (CountNewFiles(odb.get(), root) > kMaxLooseFiles) {
    return WriteAsPack(repository, odb.get(), root);
  }
  return WriteDirectory(repository, odb.get(), root);
}

Result<git_oid> WriteChangedTree(git_repository* repository, const git_commit* tip,
                                 const Directory& written, const Directory& removed) {
  TreeHandle base;
  if (const int error = git_commit_tree(OwnedBy(base), tip); error < 0) {
    return GitFailure(error, "cannot read a tree");
  }
  ASSIGN_OR_RETURN(const OdbHandle odb, OdbOf(repository));
  ASSIGN_OR_RETURN(const std::optional<git_oid> tree,
                   ChangeDirectory(repository, odb.get(), base.get(), written, removed));
  if (tree) return *tree;
  return WriteDirectory(repository, odb.get(), Directory());
}

Result<git_oid> WriteTreeWith(git_repository* repository, const git_commit* tip,
                              const std::string& name, const std::string& content) {
  TreeHandle base;
  if (tip != nullptr) {
    if (const int error = git_commit_tree(OwnedBy(base), tip); error < 0) {
      return GitFailure(error, "cannot read a tree");
    }
  }
  ASSIGN_OR_RETURN(const OdbHandle odb, OdbOf(repository));
  ASSIGN_OR_RETURN(const TreeBuilderHandle builder, NewTree(repository, base.get()));
  ASSIGN_OR_RETURN(const git_oid blob, WriteBlob(odb.get(), content));
  RETURN_IF_ERROR(Insert(builder.get(), name, blob, GIT_FILEMODE_BLOB));
  return Finish(builder.get());
}

}  // namespace gitsync

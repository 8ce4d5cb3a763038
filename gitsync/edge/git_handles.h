// Owners of libgit2's handles, and its errors as Status.
#pragma once

#include <git2.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"

namespace gitsync {

template <auto Free>
struct FreeWith {
  template <typename T>
  void operator()(T* handle) const {
    Free(handle);
  }
};
using RepositoryHandle = std::unique_ptr<git_repository, FreeWith<&git_repository_free>>;
using OdbHandle = std::unique_ptr<git_odb, FreeWith<&git_odb_free>>;
using OdbObjectHandle = std::unique_ptr<git_odb_object, FreeWith<&git_odb_object_free>>;
using ReferenceHandle = std::unique_ptr<git_reference, FreeWith<&git_reference_free>>;
using ObjectHandle = std::unique_ptr<git_object, FreeWith<&git_object_free>>;
using CommitHandle = std::unique_ptr<git_commit, FreeWith<&git_commit_free>>;
using TreeHandle = std::unique_ptr<git_tree, FreeWith<&git_tree_free>>;
using TreeBuilderHandle = std::unique_ptr<git_treebuilder, FreeWith<&git_treebuilder_free>>;
using SignatureHandle = std::unique_ptr<git_signature, FreeWith<&git_signature_free>>;
using TransactionHandle = std::unique_ptr<git_transaction, FreeWith<&git_transaction_free>>;
using ConfigHandle = std::unique_ptr<git_config, FreeWith<&git_config_free>>;
using PackBuilderHandle = std::unique_ptr<git_packbuilder, FreeWith<&git_packbuilder_free>>;
using NoteHandle = std::unique_ptr<git_note, FreeWith<&git_note_free>>;

// Calls a libgit2 function whose first argument receives a new handle: OwnedBy(handle) is that
// argument, filled in at the end of the statement.
template <typename Handle>
class OwnedBy {
 public:
  explicit OwnedBy(Handle& handle) : handle_(handle) {}
  OwnedBy(const OwnedBy&) = delete;
  ~OwnedBy() { handle_.reset(raw_); }
  operator typename Handle::pointer *() { return &raw_; }  // NOLINT: it stands for the argument

 private:
  Handle& handle_;
  typename Handle::pointer raw_ = nullptr;
};

// The failure `error` (negative) of the last libgit2 call on this thread: "WHAT: reason".
base::Status GitFailure(int error, std::string_view what);

std::string ToText(const git_oid& oid);
base::Result<git_oid> ParseOid(const std::string& text);  // kInvalid

}  // namespace gitsync

// What GitStore promises wherever the objects are kept: names that are allowed, trees made of
// files, messages, the order of history.
//
// Pure functions; any thread. Shared by the real store and the fake, so that they cannot differ.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "gitsync/source/git.h"
#include "manifests/syntax.h"

namespace gitsync {

inline constexpr std::string_view kZeroOid = "0000000000000000000000000000000000000000";
inline constexpr size_t kMaxRefBytes = manifests::kMaxGitRefBytes;
inline constexpr size_t kMaxPathBytes = 4096;        // of a file in a tree
inline constexpr size_t kMaxPathStepBytes = 255;     // of one step of it
inline constexpr size_t kMaxMessageBytes = 1 << 20;  // of a commit
inline constexpr size_t kMaxNoteBytes = 1 << 20;
inline constexpr std::string_view kNoteAuthor = "plumb";
inline constexpr std::string_view kNoteEmail = "plumb@localhost";

bool IsObjectId(std::string_view text);  // 40 lower-case hexadecimal digits

// kInvalid with what is allowed.
base::Status CheckRepositoryName(std::string_view name);  // a DNS-1123 label
base::Status CheckRefName(std::string_view ref);          // as git check-ref-format, below refs/
base::Status CheckAuthor(std::string_view name, std::string_view email);
base::Status CheckMessage(std::string_view message);
base::Status CheckNote(const std::string& commit, const std::string& text);
base::Status NotTheBase(const std::string& ref);     // a commit that changes another than the ref's
std::string NoteMessage(const std::string& commit);  // of the commit that holds a new note

// Files as the directories that a tree object is made of.
struct Directory {
  std::map<std::string, Directory> directories;
  std::map<std::string, const std::string*> files;  // contents stay the caller's
};
// kInvalid for a path that no checkout should meet ("..", ".git", "a" beside "a/b"), kTooLarge
// beyond the limits of GitStore; both name the path.
base::Result<Directory> NestFiles(const std::map<std::string, std::string>& files);

// Git's convention: the first paragraph is the subject, folded into one line.
struct MessageParts {
  std::string subject;
  std::string body;
};
MessageParts SplitMessage(std::string_view message);

// At most `most` commits reachable from `from`, the latest author time first, children before their
// only parent.
// Reads no more commits than it returns and their parents.
using ReadCommitFunction = std::function<base::Result<CommitInfo>(const std::string& oid)>;
base::Result<std::vector<CommitInfo>> WalkHistory(const std::string& from, size_t most,
                                                  const ReadCommitFunction& read);

// The first commit that `has` lacks among `heads` and all that comes before them, without looking
// behind a commit of which `known` is true, nor at more than kMaxNewCommits. Empty if there is
// none.
using HasCommitFunction = std::function<bool(const std::string& oid)>;
base::Result<std::string> FindGap(const std::vector<std::string>& heads,
                                  const HasCommitFunction& known, const HasCommitFunction& has,
                                  const ReadCommitFunction& read);

}  // namespace gitsync

// Names are checked before they become paths: a repository is a DNS-1123 label, so it can hold
// neither a slash nor a dot; a ref follows git check-ref-format. A file's path has no empty, "." or
// ".." step and none that a case-folding or NTFS file system would take for ".git".
//
// History is a walk over the frontier of unvisited commits, always taking the one with the latest
// time; of equal times the one found first, so that a child comes before its parent.
#include "gitsync/source/git_rules.h"

#include <algorithm>
#include <set>
#include <utility>

#include "manifests/syntax.h"

namespace gitsync {

using base::Code;
using base::Result;
using base::Status;

namespace {

bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

std::vector<std::string_view> SplitPath(std::string_view path) {
  std::vector<std::string_view> steps;
  while (true) {
    const size_t slash = path.find('/');
    steps.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return steps;
    path.remove_prefix(slash + 1);
  }
}

bool IsDotGit(std::string_view step) {
  std::string folded(step);
  for (char& c : folded) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  while (!folded.empty() && (folded.back() == '.' || folded.back() == ' ')) folded.pop_back();
  return folded == ".git" || folded == "git~1";
}

Status CheckTreePath(const std::string& path) {
  const std::string name = "file \"" + path + "\"";
  if (path.size() > kMaxPathBytes) {
    return Status(Code::kTooLarge, "a path of " + std::to_string(path.size()) +
                                       " bytes is longer than " + std::to_string(kMaxPathBytes) +
                                       ": " + path.substr(0, 80) + "...");
  }
  const std::vector<std::string_view> steps = SplitPath(path);
  if (steps.size() > kMaxTreeDepth) {
    return Status(Code::kTooLarge,
                  name + " lies deeper than " + std::to_string(kMaxTreeDepth) + " levels");
  }
  for (const std::string_view step : steps) {
    if (step.empty() || step == "." || step == ".." || IsDotGit(step)) {
      return Status(Code::kInvalid,
                    name + ": \"" + std::string(step) + "\" cannot be a step of a path; rename it");
    }
    if (step.size() > kMaxPathStepBytes) {
      return Status(Code::kTooLarge, name + " has a step of more than " +
                                         std::to_string(kMaxPathStepBytes) + " bytes");
    }
    if (std::any_of(step.begin(), step.end(), IsControl)) {
      return Status(Code::kInvalid, name + " has a control character in its path; rename it");
    }
  }
  return {};
}

Status AddFile(Directory& root, const std::string& path, const std::string& content) {
  std::vector<std::string_view> steps = SplitPath(path);
  const std::string leaf(steps.back());
  steps.pop_back();
  Directory* at = &root;
  const Status both(Code::kInvalid,
                    "file \"" + path + "\": a file and a directory have one name; rename one");
  for (const std::string_view step : steps) {
    if (at->files.contains(std::string(step))) return both;
    at = &at->directories[std::string(step)];
  }
  if (at->directories.contains(leaf)) return both;
  at->files[leaf] = &content;
  return {};
}

// The text up to the line end, which is taken off as well.
std::string_view TakeLine(std::string_view& text) {
  const size_t end = std::min(text.find('\n'), text.size());
  std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  while (!line.empty() && (line.back() == ' ' || line.back() == '\t' || line.back() == '\r')) {
    line.remove_suffix(1);
  }
  return line;
}

}  // namespace

bool IsObjectId(std::string_view text) {
  return text.size() == kZeroOid.size() && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

Status CheckRepositoryName(std::string_view name) {
  if (manifests::IsDns1123Label(name)) return {};
  return Status(Code::kInvalid, "\"" + std::string(name) +
                                    "\" cannot name a repository: use at most 63 lower-case "
                                    "letters, digits and '-', with a letter or digit at both ends");
}

Status CheckRefName(std::string_view ref) {
  if (manifests::IsGitRef(ref)) return {};
  return Status(Code::kInvalid, "\"" + std::string(ref) +
                                    "\" cannot name a ref: use a name such as "
                                    "refs/heads/main, of at most " +
                                    std::to_string(kMaxRefBytes) +
                                    " bytes, that git check-ref-format accepts");
}

Status CheckAuthor(std::string_view name, std::string_view email) {
  for (const std::string_view text : {name, email}) {
    const bool bad = text.empty() || text.front() == ' ' || text.back() == ' ' ||
                     std::any_of(text.begin(), text.end(),
                                 [](char c) { return IsControl(c) || c == '<' || c == '>'; });
    if (bad) {
      return Status(Code::kInvalid,
                    "\"" + std::string(text) +
                        "\" cannot stand in an author: use "
                        "text without '<', '>', control characters and outer spaces");
    }
  }
  return {};
}

Status CheckMessage(std::string_view message) {
  if (message.size() > kMaxMessageBytes) {
    return Status(Code::kTooLarge, "a commit message of " + std::to_string(message.size()) +
                                       " bytes is longer than " + std::to_string(kMaxMessageBytes));
  }
  if (message.find('\0') == std::string_view::npos) return {};
  return Status(Code::kInvalid, "a commit message cannot hold a zero byte");
}

Status CheckNote(const std::string& commit, const std::string& text) {
  if (!IsObjectId(commit)) {
    return Status(Code::kInvalid, "\"" + commit + "\" is no object id of 40 hexadecimal digits");
  }
  if (text.size() <= kMaxNoteBytes) return {};
  return Status(Code::kTooLarge, "a note of " + std::to_string(text.size()) +
                                     " bytes is longer than " + std::to_string(kMaxNoteBytes));
}

Status NotTheBase(const std::string& ref) {
  return Status(Code::kConflict, "ref " + ref + " names another commit than the one to be changed");
}

std::string NoteMessage(const std::string& commit) { return "Note on " + commit + "\n"; }

Result<Directory> NestFiles(const std::map<std::string, std::string>& files) {
  if (files.size() > kMaxTreeEntries) {
    return Status(Code::kTooLarge, "a commit of " + std::to_string(files.size()) +
                                       " files has more than " + std::to_string(kMaxTreeEntries));
  }
  Directory root;
  for (const auto& [path, content] : files) {
    RETURN_IF_ERROR(CheckTreePath(path));
    if (content.size() > kMaxBlobBytes) {
      return Status(Code::kTooLarge, "file \"" + path + "\" has " + std::to_string(content.size()) +
                                         " bytes, more than " + std::to_string(kMaxBlobBytes));
    }
    RETURN_IF_ERROR(AddFile(root, path, content));
  }
  return root;
}

MessageParts SplitMessage(std::string_view message) {
  MessageParts parts;
  while (!message.empty()) {
    const std::string_view line = TakeLine(message);
    if (line.empty() && parts.subject.empty()) continue;
    if (line.empty()) break;
    if (!parts.subject.empty()) parts.subject += ' ';
    parts.subject += line.substr(std::min(line.find_first_not_of(" \t"), line.size()));
  }
  const size_t first = message.find_first_not_of('\n');
  const size_t last = message.find_last_not_of(" \t\r\n");
  if (last != std::string_view::npos) parts.body = message.substr(first, last - first + 1);
  return parts;
}

Result<std::vector<CommitInfo>> WalkHistory(const std::string& from, size_t most,
                                            const ReadCommitFunction& read) {
  struct Waiting {
    size_t found;
    CommitInfo commit;
  };
  std::vector<Waiting> frontier;  // small: the open ends of the history walked so far
  std::set<std::string> seen;
  const auto reach = [&](const std::string& oid) -> Status {
    if (!seen.insert(oid).second) return {};
    ASSIGN_OR_RETURN(CommitInfo commit, read(oid));
    frontier.push_back({seen.size(), std::move(commit)});
    return {};
  };
  std::vector<CommitInfo> history;
  if (most > 0) RETURN_IF_ERROR(reach(from));
  while (!frontier.empty() && history.size() < most) {
    const auto newest =
        std::min_element(frontier.begin(), frontier.end(), [](const Waiting& a, const Waiting& b) {
          return std::pair(b.commit.author_time, a.found) <
                 std::pair(a.commit.author_time, b.found);
        });
    history.push_back(std::move(newest->commit));
    frontier.erase(newest);
    for (const std::string& parent : history.back().parents) RETURN_IF_ERROR(reach(parent));
  }
  return history;
}

Result<std::string> FindGap(const std::vector<std::string>& heads, const HasCommitFunction& known,
                            const HasCommitFunction& has, const ReadCommitFunction& read) {
  std::set<std::string> seen;
  std::vector<std::string> open = heads;
  while (!open.empty() && seen.size() < kMaxNewCommits) {
    const std::string oid = std::move(open.back());
    open.pop_back();
    if (!seen.insert(oid).second || known(oid)) continue;
    if (!has(oid)) return oid;
    ASSIGN_OR_RETURN(const CommitInfo commit, read(oid));
    open.insert(open.end(), commit.parents.begin(), commit.parents.end());
  }
  return std::string();
}

}  // namespace gitsync

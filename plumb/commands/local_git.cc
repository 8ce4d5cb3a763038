// What is sent of a commit is found by asking the same function that the server uses, Discover,
// for the files that it looks at.
#include "plumb/commands/local_git.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "base/edge/process.h"
#include "gitsync/source/discover.h"

namespace plumb {
namespace {

constexpr base::Duration kGitWait = base::Duration::Minutes(2);
constexpr size_t kMaxBatchBytes = 8u << 20;  // of blobs that git is asked for at once

// "100644 blob OID    SIZE\tPATH"; submodules are left out.
// A submodule's type is "commit", and its size "-".
bool ParseTreeLine(std::string_view line, gitsync::TreeEntry& file) {
  constexpr size_t kModeBytes = 6, kOidBytes = 40;
  const size_t tab = line.find('\t');
  const size_t oid = line.find(' ', kModeBytes + 1) + 1;
  if (tab == std::string_view::npos || oid == 0 || oid + kOidBytes >= tab) return false;
  std::from_chars(line.data(), line.data() + kModeBytes, file.mode, 8);
  file.oid = line.substr(oid, kOidBytes);
  const size_t size = line.find_first_not_of(' ', oid + kOidBytes);
  std::from_chars(line.data() + size, line.data() + tab, file.size);
  file.path = line.substr(tab + 1);
  return true;
}

}  // namespace

base::Result<LocalGit> LocalGit::Open(const std::string& directory) {
  LocalGit git(directory);
  const base::Result<std::string> top = git.Git({"rev-parse", "--show-toplevel"});
  if (top.ok()) return git;
  if (top.status().code() == base::Code::kNotFound) return top.status();
  return base::Status(base::Code::kNotFound,
                      "this directory is in no Git checkout; go to one, or name a repository of "
                      "the server with --repo");
}

base::Result<std::string> LocalGit::Git(std::vector<std::string> words,
                                        std::string_view input) const {
  base::ProcessOptions options;
  options.argv = {"git"};
  options.argv.insert(options.argv.end(), words.begin(), words.end());
  options.directory = directory_;
  ASSIGN_OR_RETURN(base::RunOutput run, base::RunProcess(options, input, kGitWait));
  if (run.exit.ok() && run.output.size() >= base::kMaxRunOutput) {
    return base::Status(base::Code::kTooLarge, "git " + words[0] + " says more than plumb reads");
  }
  if (run.exit.ok()) return std::move(run.output);
  while (run.error.ends_with('\n')) run.error.pop_back();
  return base::Status(base::Code::kInternal,
                      "git " + words[0] + ": " + run.error.substr(run.error.rfind('\n') + 1));
}

base::Result<std::string> LocalGit::Commit(const std::string& revision) const {
  base::Result<std::string> oid =
      Git({"rev-parse", "--verify", "--quiet", "--end-of-options", revision + "^{commit}"});
  if (!oid.ok()) {
    return base::Status(base::Code::kNotFound,
                        "\"" + revision + "\" names no commit in this checkout");
  }
  while (oid->ends_with('\n')) oid->pop_back();
  return oid;
}

base::Result<std::vector<gitsync::TreeEntry>> LocalGit::ListTree(const std::string& commit) const {
  ASSIGN_OR_RETURN(const std::string text,
                   Git({"ls-tree", "-r", "-z", "-l", "--full-tree", commit}));
  std::vector<gitsync::TreeEntry> entries;
  for (size_t start = 0; start < text.size();) {
    const size_t end = std::min(text.find('\0', start), text.size());
    gitsync::TreeEntry file;
    if (ParseTreeLine(std::string_view(text).substr(start, end - start), file)) {
      entries.push_back(std::move(file));
    }
    start = end + 1;
  }
  if (entries.size() > gitsync::kMaxTreeEntries) {
    return base::Status(base::Code::kTooLarge, "the commit has " + std::to_string(entries.size()) +
                                                   " files; the limit is " +
                                                   std::to_string(gitsync::kMaxTreeEntries));
  }
  // Git's order of a tree differs from that of paths.
  std::sort(entries.begin(), entries.end(),
            [](const auto& a, const auto& b) { return a.path < b.path; });
  return entries;
}

base::Status LocalGit::ReadBlobs(const std::vector<gitsync::TreeEntry>& wanted,
                                 SourceArchive& archive) const {
  for (size_t next = 0; next < wanted.size();) {
    std::string ask;
    for (size_t bytes = 0; next < wanted.size(); ++next) {
      if (bytes > 0 && bytes + wanted[next].size > kMaxBatchBytes) break;
      bytes += wanted[next].size;
      ask += wanted[next].oid + "\n";
    }
    ASSIGN_OR_RETURN(const std::string text, Git({"cat-file", "--batch"}, ask));
    // "OID blob SIZE\n", the content, "\n".
    for (size_t at = 0; at < text.size();) {
      const size_t line = text.find('\n', at);
      const size_t space = text.rfind(' ', line);
      size_t size = 0;
      if (line == std::string::npos || space == std::string::npos || space < at) break;
      std::from_chars(text.data() + space + 1, text.data() + line, size);
      archive.blobs[text.substr(at, 40)] = text.substr(line + 1, size);
      at = line + 1 + size + 1;
    }
  }
  return base::Status();
}

base::Result<SourceArchive> LocalGit::Archive(const std::string& commit, bool whole) const {
  SourceArchive archive;
  archive.commit = commit;
  ASSIGN_OR_RETURN(archive.tree, Git({"rev-parse", "--verify", commit + "^{tree}"}));
  archive.tree.resize(std::min<size_t>(archive.tree.size(), 40));
  ASSIGN_OR_RETURN(archive.entries, ListTree(commit));
  std::map<std::string, const gitsync::TreeEntry*> by_oid;
  for (const gitsync::TreeEntry& file : archive.entries) by_oid[file.oid] = &file;
  // Discover reads a few small files; each is one call of git.
  const gitsync::ReadBlobFunction read = [&](const std::string& oid) -> base::Result<std::string> {
    if (!archive.blobs.contains(oid)) {
      const auto known = by_oid.find(oid);
      if (known != by_oid.end()) RETURN_IF_ERROR(ReadBlobs({*known->second}, archive));
    }
    return archive.Blob(oid);
  };
  ASSIGN_OR_RETURN(gitsync::Discovery discovery, gitsync::Discover(archive.entries, read));
  if (whole) {
    ASSIGN_OR_RETURN(const gitsync::Discovery all, gitsync::Discover(archive.entries, read, ""));
    discovery.files.insert(discovery.files.end(), all.files.begin(), all.files.end());
    discovery.unread.insert(discovery.unread.end(), all.unread.begin(), all.unread.end());
  }
  // Where another directory is deployed, the server may want these.
  discovery.files.insert(discovery.files.end(), discovery.unread.begin(), discovery.unread.end());
  std::vector<gitsync::TreeEntry> wanted;
  std::set<std::string> asked;
  size_t bytes = 0;
  for (const gitsync::ManifestFile& file : discovery.files) {
    if (file.size > gitsync::kMaxBlobBytes || archive.blobs.contains(file.oid)) continue;
    if (!asked.insert(file.oid).second) continue;
    wanted.push_back({file.path, file.oid, 0100644, file.size});
    bytes += file.size;
  }
  if (bytes > kMaxArchiveBytes) {
    return base::Status(base::Code::kTooLarge, "the manifests take more than " +
                                                   std::to_string(kMaxArchiveBytes >> 20) + " MiB");
  }
  RETURN_IF_ERROR(ReadBlobs(wanted, archive));
  return archive;
}

std::vector<std::string> LocalGit::Repositories() const {
  std::set<std::string> names;
  const base::Result<std::string> text =
      Git({"config", "--get-regexp", "^remote\\..*\\.(url|pushurl)$"});
  if (!text.ok()) return {};
  for (size_t start = 0; start < text->size();) {
    const size_t end = std::min(text->find('\n', start), text->size());
    const std::string line = text->substr(start, end - start);
    const std::string name = RepositoryOfUrl(line.substr(line.find(' ') + 1));
    if (!name.empty()) names.insert(name);
    start = end + 1;
  }
  return {names.begin(), names.end()};
}

bool LocalGit::HasUncommittedChanges() const {
  const base::Result<std::string> changes = Git({"status", "--porcelain"});
  return changes.ok() && !changes->empty();
}

bool LocalGit::IsAncestor(const std::string& ancestor, const std::string& descendant) const {
  return Git({"merge-base", "--is-ancestor", ancestor, descendant}).ok();
}

std::string RepositoryOfUrl(std::string_view url) {
  constexpr std::string_view kMiddle = "/git/", kEnd = ".git";
  if (!url.starts_with("https://") || !url.ends_with(kEnd)) return "";
  url.remove_suffix(kEnd.size());
  const size_t middle = url.rfind(kMiddle);
  if (middle == std::string_view::npos) return "";
  const std::string_view name = url.substr(middle + kMiddle.size());
  return name.find('/') == std::string_view::npos ? std::string(name) : "";
}

}  // namespace plumb

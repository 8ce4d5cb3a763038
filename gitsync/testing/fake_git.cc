// Objects are kept decoded and named by the SHA-1 of git's encoding of them: "TYPE SIZE", a zero
// byte, the content. A tree's children are encoded in git's order, in which a directory sorts as if
// its name ended with a slash.
#include "gitsync/testing/fake_git.h"

#include <algorithm>

#include "base/sha1.h"

namespace gitsync {

using base::Code;
using base::Result;
using base::Status;

namespace {

constexpr char kUserName[] = "User";
constexpr char kUserEmail[] = "user@example.com";

std::string Encode(std::string_view type, std::string_view content) {
  std::string object = std::string(type) + " " + std::to_string(content.size());
  object += '\0';
  object += content;
  return object;
}

std::string FromHex(const std::string& hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  }
  return bytes;
}

template <typename Scope, typename Member>
auto FindIn(const Scope& scope, Member member, const std::string& oid)
    -> decltype(&(scope.front()->*member).find(oid)->second) {
  for (const auto* objects : scope) {
    const auto& map = objects->*member;
    if (const auto found = map.find(oid); found != map.end()) return &found->second;
  }
  return nullptr;
}

Status NoObject(const std::string& oid) {
  if (!IsObjectId(oid)) {
    return Status(Code::kInvalid, "\"" + oid + "\" is no object id of 40 hexadecimal digits");
  }
  return Status(Code::kNotFound, "the repository has no object " + oid);
}

}  // namespace

FakeGit::Staged FakeGit::Stage(const std::string& repository, const std::string& ref,
                               const Files& files, const std::string& message, base::WallTime time,
                               bool force) {
  return StageOn(repository, ref, files, message, time, force ? "" : "the ref's");
}

FakeGit::Staged FakeGit::StageShallow(const std::string& repository, const std::string& ref,
                                      const Files& files, base::WallTime time) {
  return StageOn(repository, ref, files, "change\n", time, std::string(kZeroOid.size(), '1'));
}

// `parent`: an id, empty for none, or any other words for the ref's commit.
FakeGit::Staged FakeGit::StageOn(const std::string& repository, const std::string& ref,
                                 const Files& files, const std::string& message,
                                 base::WallTime time, const std::string& parent) {
  Result<Repository*> found = Find(repository);
  CHECK(found.ok() && CheckRefName(ref).ok());
  Result<Directory> root = NestFiles(files);
  CHECK(root.ok());
  Repository& into = **found;
  Staged staged{repository, ref, std::string(kZeroOid), "", {}};
  if (into.refs.contains(ref)) staged.old_oid = into.refs[ref];
  staged.quarantine.object_directory = "quarantine-" + std::to_string(next_quarantine_++);
  Objects& objects = into.quarantines[staged.quarantine.object_directory];
  CommitInfo commit;
  commit.tree = WriteTree(objects, *root);
  if (IsObjectId(parent)) {
    commit.parents = {parent};
  } else if (!parent.empty() && staged.old_oid != kZeroOid) {
    commit.parents = {staged.old_oid};
  }
  commit.author_name = kUserName;
  commit.author_email = kUserEmail;
  commit.author_time = time;
  staged.new_oid = WriteCommit(objects, commit, message);
  return staged;
}

Status FakeGit::Accept(const Staged& staged) {
  ASSIGN_OR_RETURN(Repository * into, Find(staged.repository));
  const auto ref = into->refs.find(staged.ref);
  const std::string now = ref == into->refs.end() ? std::string(kZeroOid) : ref->second;
  if (now != staged.old_oid) {
    Drop(staged);
    return Status(Code::kConflict, "ref " + staged.ref + " was moved by another writer");
  }
  Objects& objects = into->quarantines[staged.quarantine.object_directory];
  into->objects.blobs.merge(objects.blobs);
  into->objects.trees.merge(objects.trees);
  into->objects.commits.merge(objects.commits);
  into->refs[staged.ref] = staged.new_oid;
  Drop(staged);
  return {};
}

void FakeGit::Drop(const Staged& staged) {
  if (Result<Repository*> from = Find(staged.repository); from.ok()) {
    (*from)->quarantines.erase(staged.quarantine.object_directory);
  }
}

std::string FakeGit::Push(const std::string& repository, const std::string& ref, const Files& files,
                          const std::string& message, base::WallTime time) {
  const Staged staged = Stage(repository, ref, files, message, time);
  CHECK(Accept(staged).ok());
  return staged.new_oid;
}

std::string FakeGit::ForcePush(const std::string& repository, const std::string& ref,
                               const Files& files, const std::string& message,
                               base::WallTime time) {
  const Staged staged = Stage(repository, ref, files, message, time, /*force=*/true);
  CHECK(Accept(staged).ok());
  return staged.new_oid;
}

void FakeGit::SetRef(const std::string& repository, const std::string& ref,
                     const std::string& oid) {
  Result<Repository*> found = Find(repository);
  CHECK(found.ok() && CheckRefName(ref).ok() && (*found)->objects.commits.contains(oid));
  (*found)->refs[ref] = oid;
}

void FakeGit::DeleteRef(const std::string& repository, const std::string& ref) {
  Result<Repository*> found = Find(repository);
  CHECK(found.ok());
  (*found)->refs.erase(ref);
}

std::map<std::string, std::string> FakeGit::Refs(const std::string& repository) const {
  const auto found = repositories_.find(repository);
  return found == repositories_.end() ? std::map<std::string, std::string>() : found->second.refs;
}

Status FakeGit::Create(const std::string& repository, const std::string& default_branch) {
  RETURN_IF_ERROR(CheckRepositoryName(repository));
  RETURN_IF_ERROR(CheckRefName("refs/heads/" + default_branch));
  if (repositories_.contains(repository)) {
    return Status(Code::kAlreadyExists, "repository " + repository + " exists already");
  }
  repositories_[repository].head = "refs/heads/" + default_branch;
  return {};
}

Status FakeGit::Delete(const std::string& repository) {
  RETURN_IF_ERROR(Find(repository).status());
  repositories_.erase(repository);
  return {};
}

Result<FakeGit::Repository*> FakeGit::Find(const std::string& repository) {
  RETURN_IF_ERROR(CheckRepositoryName(repository));
  const auto found = repositories_.find(repository);
  if (found != repositories_.end()) return &found->second;
  return Status(Code::kNotFound, "there is no repository " + repository);
}

Status FakeGit::Fail(std::string_view point) const {
  if (faults_ == nullptr || !faults_->Hit(point)) return {};
  return Status(Code::kUnavailable, "fault " + std::string(point) + "; try again");
}

Result<FakeGit::Scope> FakeGit::Look(const std::string& repository, const Quarantine& quarantine) {
  RETURN_IF_ERROR(Fail("git.read.fail"));
  ASSIGN_OR_RETURN(const Repository* found, Find(repository));
  Scope scope;
  if (!quarantine.object_directory.empty()) {
    const auto waiting = found->quarantines.find(quarantine.object_directory);
    if (waiting == found->quarantines.end()) {
      return Status(Code::kNotFound, "there is no quarantine " + quarantine.object_directory);
    }
    scope.push_back(&waiting->second);
  }
  scope.push_back(&found->objects);
  return scope;
}

Result<std::string> FakeGit::Resolve(const std::string& repository, const std::string& ref) {
  RETURN_IF_ERROR(Fail("git.read.fail"));
  if (ref != "HEAD") RETURN_IF_ERROR(CheckRefName(ref));
  ASSIGN_OR_RETURN(const Repository* found, Find(repository));
  const auto at = found->refs.find(ref == "HEAD" ? found->head : ref);
  if (at == found->refs.end()) return Status(Code::kNotFound, "there is no ref " + ref);
  return at->second;
}

Result<size_t> FakeGit::CountRefs(const std::string& repository) {
  RETURN_IF_ERROR(Fail("git.read.fail"));
  ASSIGN_OR_RETURN(const Repository* found, Find(repository));
  return static_cast<size_t>(
      std::count_if(found->refs.begin(), found->refs.end(), [](const auto& ref) {
        return ref.first.starts_with("refs/heads/") || ref.first.starts_with("refs/tags/");
      }));
}

Result<std::string> FakeGit::MissingAncestor(const std::string& repository,
                                             const std::vector<std::string>& heads,
                                             const Quarantine& quarantine) {
  if (quarantine.object_directory.empty()) return std::string();
  ASSIGN_OR_RETURN(const Scope all, Look(repository, quarantine));
  const auto find = [&](const std::string& oid) { return FindIn(all, &Objects::commits, oid); };
  return FindGap(
      heads, [&](const std::string& oid) { return all.back()->commits.contains(oid); },
      [&](const std::string& oid) { return find(oid) != nullptr; },
      [&](const std::string& oid) -> Result<CommitInfo> { return *find(oid); });
}

Result<CommitInfo> FakeGit::ReadCommit(const std::string& repository, const std::string& oid,
                                       const Quarantine& quarantine) {
  ASSIGN_OR_RETURN(const Scope scope, Look(repository, quarantine));
  const CommitInfo* commit = FindIn(scope, &Objects::commits, oid);
  if (commit == nullptr) return NoObject(oid);
  return *commit;
}

Result<std::vector<TreeEntry>> FakeGit::ReadTree(const std::string& repository,
                                                 const std::string& commit,
                                                 const Quarantine& quarantine) {
  ASSIGN_OR_RETURN(const Scope scope, Look(repository, quarantine));
  const CommitInfo* found = FindIn(scope, &Objects::commits, commit);
  if (found == nullptr) return NoObject(commit);
  std::vector<TreeEntry> entries;
  RETURN_IF_ERROR(AddTree(scope, found->tree, "", entries));
  std::sort(entries.begin(), entries.end(),
            [](const TreeEntry& a, const TreeEntry& b) { return a.path < b.path; });
  return entries;
}

Result<std::vector<TreeChange>> FakeGit::Diff(const std::string& repository,
                                              const std::string& from, const std::string& to,
                                              size_t most, const Quarantine& quarantine) {
  ASSIGN_OR_RETURN(const std::vector<TreeEntry> before,
                   FakeGit::ReadTree(repository, from, quarantine));
  ASSIGN_OR_RETURN(const std::vector<TreeEntry> after,
                   FakeGit::ReadTree(repository, to, quarantine));
  std::map<std::string, TreeChange> by_path;
  for (const TreeEntry& entry : before) {
    by_path[entry.path].before = entry;
    by_path[entry.path].before->size = 0;
  }
  for (const TreeEntry& entry : after) by_path[entry.path].after = entry;
  std::vector<TreeChange> changes;
  for (auto& [path, change] : by_path) {
    if (change.before && change.after && change.before->oid == change.after->oid) continue;
    changes.push_back(std::move(change));
  }
  if (changes.size() > most) {
    return Status(Code::kTooLarge, "more than " + std::to_string(most) + " files differ");
  }
  return changes;
}

Status FakeGit::AddTree(const Scope& scope, const std::string& tree, const std::string& prefix,
                        std::vector<TreeEntry>& entries) const {
  const Tree* found = FindIn(scope, &Objects::trees, tree);
  CHECK(found != nullptr);
  for (const auto& [name, child] : found->children) {
    if (child.directory) {
      RETURN_IF_ERROR(AddTree(scope, child.oid, prefix + name + "/", entries));
    } else {
      const std::string* blob = FindIn(scope, &Objects::blobs, child.oid);
      CHECK(blob != nullptr);
      entries.push_back({prefix + name, child.oid, 0100644, blob->size()});
    }
  }
  return {};
}

Result<std::string> FakeGit::ReadBlob(const std::string& repository, const std::string& oid,
                                      const Quarantine& quarantine) {
  ASSIGN_OR_RETURN(const Scope scope, Look(repository, quarantine));
  const std::string* blob = FindIn(scope, &Objects::blobs, oid);
  if (blob == nullptr) return NoObject(oid);
  return *blob;
}

Result<std::vector<CommitInfo>> FakeGit::History(const std::string& repository,
                                                 const std::string& from, size_t most) {
  ASSIGN_OR_RETURN(const Scope scope, Look(repository, {}));
  return WalkHistory(from, most, [&](const std::string& oid) -> Result<CommitInfo> {
    const CommitInfo* commit = FindIn(scope, &Objects::commits, oid);
    if (commit == nullptr) return NoObject(oid);
    return *commit;
  });
}

std::string FakeGit::WriteBlob(Objects& objects, const std::string& content) {
  const std::string oid = base::Sha1Hex(Encode("blob", content));
  objects.blobs[oid] = content;
  return oid;
}

std::string FakeGit::WriteTreeObject(Objects& objects, Tree tree) {
  std::map<std::string, std::string> lines;  // by git's sorting key
  for (const auto& [name, child] : tree.children) {
    std::string line = (child.directory ? "40000 " : "100644 ") + name;
    line += '\0';
    lines[child.directory ? name + "/" : name] = line + FromHex(child.oid);
  }
  std::string content;
  for (const auto& [key, line] : lines) content += line;
  const std::string oid = base::Sha1Hex(Encode("tree", content));
  objects.trees[oid] = std::move(tree);
  return oid;
}

std::string FakeGit::WriteTree(Objects& objects, const Directory& directory) {
  Tree tree;
  for (const auto& [name, content] : directory.files) {
    tree.children[name] = {WriteBlob(objects, *content), false};
  }
  for (const auto& [name, child] : directory.directories) {
    tree.children[name] = {WriteTree(objects, child), true};
  }
  return WriteTreeObject(objects, std::move(tree));
}

std::string FakeGit::WriteCommit(Objects& objects, CommitInfo commit, const std::string& message) {
  std::string content = "tree " + commit.tree + "\n";
  for (const std::string& parent : commit.parents) content += "parent " + parent + "\n";
  const std::string who = commit.author_name + " <" + commit.author_email + "> " +
                          std::to_string(commit.author_time.seconds()) + " +0000\n";
  content += "author " + who + "committer " + who + "\n" + message;
  MessageParts parts = SplitMessage(message);
  commit.oid = base::Sha1Hex(Encode("commit", content));
  commit.author_time = base::WallTime::FromSeconds(commit.author_time.seconds());
  commit.subject = std::move(parts.subject);
  commit.body = std::move(parts.body);
  objects.commits[commit.oid] = commit;
  return commit.oid;
}

std::string FakeGit::AddCommit(Repository& repository, const std::string& ref, size_t keep_history,
                               const std::string& tree, CommitInfo words,
                               const std::string& message) {
  words.tree = tree;
  if (const auto tip = repository.refs.find(ref); tip != repository.refs.end()) {
    const std::map<std::string, CommitInfo>& commits = repository.objects.commits;
    if (commits.at(tip->second).tree == tree) return tip->second;
    size_t behind = 1;
    for (const CommitInfo* at = &commits.at(tip->second); !at->parents.empty(); ++behind) {
      at = &commits.at(at->parents.front());
    }
    if (keep_history == 0 || behind <= keep_history) words.parents = {tip->second};
  }
  return repository.refs[ref] = WriteCommit(repository.objects, std::move(words), message);
}

Result<std::string> FakeGit::Commit(const std::string& repository, const NewCommit& commit) {
  RETURN_IF_ERROR(CheckRefName(commit.ref));
  RETURN_IF_ERROR(CheckAuthor(commit.author_name, commit.author_email));
  RETURN_IF_ERROR(CheckMessage(commit.message));
  ASSIGN_OR_RETURN(Repository * into, Find(repository));
  RETURN_IF_ERROR(Fail("git.commit.fail"));
  Files files = commit.files;
  if (!commit.base.empty()) {
    const auto tip = into->refs.find(commit.ref);
    if (tip == into->refs.end() || tip->second != commit.base) return NotTheBase(commit.ref);
    ASSIGN_OR_RETURN(const std::vector<TreeEntry> old, ReadTree(repository, commit.base));
    for (const TreeEntry& entry : old) {
      if (commit.removed.contains(entry.path)) continue;
      files.emplace(entry.path, into->objects.blobs.at(entry.oid));
    }
  }
  ASSIGN_OR_RETURN(const Directory root, NestFiles(files));
  CommitInfo words;
  words.author_name = commit.author_name;
  words.author_email = commit.author_email;
  words.author_time = commit.time;
  return AddCommit(*into, commit.ref, commit.keep_history, WriteTree(into->objects, root), words,
                   commit.message);
}

Status FakeGit::WriteNote(const std::string& repository, const std::string& ref,
                          const std::string& commit, const std::string& text, base::WallTime time) {
  RETURN_IF_ERROR(CheckRefName(ref));
  RETURN_IF_ERROR(CheckNote(commit, text));
  ASSIGN_OR_RETURN(Repository * into, Find(repository));
  RETURN_IF_ERROR(Fail("git.commit.fail"));
  Objects& objects = into->objects;
  if (!objects.commits.contains(commit)) return NoObject(commit);
  Tree tree;
  if (const auto tip = into->refs.find(ref); tip != into->refs.end()) {
    tree = objects.trees.at(objects.commits.at(tip->second).tree);
  }
  tree.children[commit] = {WriteBlob(objects, text), false};
  CommitInfo words;
  words.author_name = kNoteAuthor;
  words.author_email = kNoteEmail;
  words.author_time = time;
  AddCommit(*into, ref, 0, WriteTreeObject(objects, std::move(tree)), words, NoteMessage(commit));
  return {};
}

Result<std::string> FakeGit::ReadNote(const std::string& repository, const std::string& ref,
                                      const std::string& commit) {
  RETURN_IF_ERROR(Fail("git.read.fail"));
  RETURN_IF_ERROR(CheckRefName(ref));
  ASSIGN_OR_RETURN(const Repository* found, Find(repository));
  const auto tip = found->refs.find(ref);
  if (tip != found->refs.end()) {
    const Objects& objects = found->objects;
    const Tree& notes = objects.trees.at(objects.commits.at(tip->second).tree);
    const auto note = notes.children.find(commit);
    if (note != notes.children.end()) return objects.blobs.at(note->second.oid);
  }
  return Status(Code::kNotFound, "no note on commit " + commit);
}

}  // namespace gitsync

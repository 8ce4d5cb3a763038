// Deployed is what lies in the directory that is asked for; if none is, in manifests/, or in the
// whole repository if it has no such directory:
// every *.yaml, *.yml and *.json that is not hidden (a step of its path below that place starts
// with a dot) and not listed in a .sourceignore of its directory or one above it.
//   - A directory with a kustomization.yaml asks to be rendered, which plumb does not do yet:
//     applying its files as they are would deploy something else than was meant, so it is refused.
//   - A symbolic link to a file of the repository stands for that file, once: if the file itself is
//     deployed, the link is left out. A link that leaves the repository, leads to a directory or to
//     nothing is refused: plumb never follows a link in a file system.
#include "gitsync/source/discover.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string_view>

#include "gitsync/source/sourceignore.h"

namespace gitsync {
namespace {

constexpr std::string_view kManifests = "manifests/";
constexpr std::string_view kIgnoreFile = ".sourceignore";
constexpr uint32_t kLinkMode = 0120000;
constexpr size_t kMaxLinkSteps = 8;  // links that lead to links

std::string_view DirectoryOf(std::string_view path) {  // "" or "a/b/"
  return path.substr(0, path.rfind('/') + 1);
}
std::string_view NameOf(std::string_view path) { return path.substr(path.rfind('/') + 1); }

bool IsHidden(std::string_view path) {
  return path.starts_with('.') || path.find("/.") != std::string_view::npos;
}

bool IsKustomizationName(std::string_view name) {
  return name == "kustomization.yaml" || name == "kustomization.yml" || name == "Kustomization";
}

// `target` as seen from the directory of `link`; nothing if it leaves the repository.
std::optional<std::string> ResolveLink(std::string_view link, std::string_view target) {
  if (target.empty() || target.front() == '/') return std::nullopt;
  std::vector<std::string_view> steps;
  const auto walk = [&](std::string_view path) {
    while (!path.empty()) {
      const size_t end = std::min(path.find('/'), path.size());
      const std::string_view step = path.substr(0, end);
      path.remove_prefix(std::min(end + 1, path.size()));
      if (step.empty() || step == ".") continue;
      if (step != "..") {
        steps.push_back(step);
      } else if (steps.empty()) {
        return false;
      } else {
        steps.pop_back();
      }
    }
    return true;
  };
  if (!walk(DirectoryOf(link)) || !walk(target)) return std::nullopt;
  std::string path;
  for (const std::string_view step : steps) {
    if (!path.empty()) path += '/';
    path += step;
  }
  return path;
}

class Discoverer {
 public:
  Discoverer(const std::vector<TreeEntry>& entries, const ReadBlobFunction& read,
             const std::optional<std::string>& path)
      : read_(read) {
    for (const TreeEntry& entry : entries) by_path_.emplace(entry.path, &entry);
    selection_.given = path.has_value();
    if (path) {
      selection_.root = *path;
      found_.missing = !path->empty() && !HasDirectory(*path);
      if (found_.missing) {
        Refuse(path->substr(0, path->size() - 1),
               "the commit has no such directory; add it, or correct spec.path of the "
               "Kustomization");
      }
    } else if (HasDirectory(kManifests)) {
      selection_.root = kManifests;
    }
  }

  base::Result<Discovery> Run() {
    RETURN_IF_ERROR(ReadIgnoreFiles());
    std::vector<const TreeEntry*> links;
    for (const auto& [path, entry] : by_path_) {
      if (!selection_.Contains(path)) continue;
      if (IsKustomizationName(NameOf(path))) {
        Refuse(path,
               "a directory with a kustomization.yaml is not rendered yet; remove it and list "
               "plain manifests, or put the directory into .sourceignore");
      } else if (entry->mode == kLinkMode) {
        links.push_back(entry);
      } else if (IsManifestName(path)) {
        deployed_.emplace(entry->path, ManifestFile{entry->path, entry->oid, entry->size});
      }
    }
    for (const TreeEntry* link : links) RETURN_IF_ERROR(AddLink(*link));
    selection_.links = !links.empty();
    found_.selection = std::make_shared<const Selection>(std::move(selection_));
    for (auto& [path, file] : deployed_) found_.files.push_back(std::move(file));
    std::stable_sort(found_.errors.begin(), found_.errors.end(),
                     [](const SourceError& a, const SourceError& b) { return a.path < b.path; });
    return std::move(found_);
  }

 private:
  bool HasDirectory(std::string_view path) const {  // "a/b/"
    const auto first = by_path_.lower_bound(path);
    return first != by_path_.end() && first->first.starts_with(path);
  }

  void Refuse(std::string_view path, std::string message) {
    found_.errors.push_back(SourceError{std::string(path), {}, std::move(message)});
  }

  base::Status ReadIgnoreFiles() {
    for (const auto& [path, entry] : by_path_) {
      if (NameOf(path) != kIgnoreFile || entry->mode == kLinkMode) continue;
      if (entry->size > kMaxIgnoreBytes) {
        Refuse(path, "a .sourceignore may have " + std::to_string(kMaxIgnoreBytes) +
                         " bytes; use fewer, wider patterns");
        continue;
      }
      ASSIGN_OR_RETURN(const std::string text, read_(entry->oid));
      base::Result<IgnoreRules> rules = IgnoreRules::Parse(text);
      if (!rules.ok()) {
        Refuse(path, std::string(rules.status().message()));
        continue;
      }
      selection_.ignored.emplace(DirectoryOf(path), *std::move(rules));
    }
    return base::Status();
  }

  base::Status AddLink(const TreeEntry& link) {
    std::string at = link.path;
    const TreeEntry* entry = &link;
    for (size_t steps = 0; entry->mode == kLinkMode; ++steps) {
      if (steps == kMaxLinkSteps) {
        Refuse(link.path, "this symbolic link leads through more than " +
                              std::to_string(kMaxLinkSteps) + " others; link to the file itself");
        return base::Status();
      }
      if (entry->size > kMaxPathBytes) {
        Refuse(link.path, "the target of this symbolic link is longer than any path; remove it");
        return base::Status();
      }
      ASSIGN_OR_RETURN(const std::string target, read_(entry->oid));
      const std::optional<std::string> resolved = ResolveLink(at, target);
      if (!resolved) {
        Refuse(link.path,
               "this symbolic link points outside of the repository; copy the file into it");
        return base::Status();
      }
      at = *resolved;
      const auto found = by_path_.find(at);
      if (found == by_path_.end()) {
        const auto below = by_path_.lower_bound(at + "/");
        const bool directory =
            at.empty() || (below != by_path_.end() && below->first.starts_with(at + "/"));
        Refuse(link.path, directory ? "links to directories are not followed; move the files here, "
                                      "or list the link in .sourceignore"
                                    : "this symbolic link points at nothing; correct or remove it");
        return base::Status();
      }
      entry = found->second;
    }
    if (!IsManifestName(link.path) || targets_.contains(entry->path) ||
        deployed_.contains(entry->path)) {
      return base::Status();
    }
    targets_.insert(entry->path);
    deployed_.emplace(link.path, ManifestFile{link.path, entry->oid, entry->size});
    return base::Status();
  }

  static constexpr size_t kMaxPathBytes = 4096;

  const ReadBlobFunction& read_;
  std::map<std::string, const TreeEntry*, std::less<>> by_path_;
  Selection selection_;
  std::map<std::string, ManifestFile, std::less<>> deployed_;
  std::set<std::string, std::less<>> targets_;  // that a link brought in
  Discovery found_;
};

}  // namespace

bool Selection::Contains(std::string_view path) const {
  if (!path.starts_with(root) || IsHidden(path.substr(root.size()))) return false;
  for (size_t end = 0;; ++end) {  // every directory above, the repository's root included
    const auto rules = ignored.find(path.substr(0, end));
    if (rules != ignored.end() && rules->second.Ignored(path.substr(end), false)) return false;
    end = path.find('/', end);
    if (end == std::string_view::npos) return true;
  }
}

bool IsManifestName(std::string_view path) {
  return path.ends_with(".yaml") || path.ends_with(".yml") || path.ends_with(".json");
}

bool ChangesSelection(const Selection& selection, const TreeChange& change) {
  const std::string_view path = change.path();
  constexpr uint32_t kTypeMask = 0170000, kRegular = 0100000;
  if (selection.links || (change.after && (change.after->mode & kTypeMask) != kRegular))
    return true;
  if (NameOf(path) == kIgnoreFile || IsKustomizationName(NameOf(path))) return true;
  return selection.root.empty() && !selection.given && path.starts_with(kManifests);
}

base::Result<Discovery> Discover(const std::vector<TreeEntry>& entries,
                                 const ReadBlobFunction& read,
                                 const std::optional<std::string>& path) {
  return Discoverer(entries, read, path).Run();
}

}  // namespace gitsync

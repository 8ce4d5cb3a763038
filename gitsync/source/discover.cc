// Deployed is what lies in the directory that is asked for; if none is, in manifests/, or in the
// whole repository if it has no such directory:
// every *.yaml, *.yml and *.json that is not hidden (a step of its path below that place starts
// with a dot) and not listed in a .sourceignore of its directory or one above it.
//   - A directory that asks to be rendered (a kustomization, a Helm chart, a Jsonnet application),
//     which plumb does not do yet, is refused as one: applying its files as they are would deploy
//     something else than was meant, and what is wrong with each of them says nothing.
//   - A submodule is another repository's tree, which plumb cannot see: what is not known is not
//     taken for absent. It is refused where it stands among what is deployed, and where it hides
//     the directory that is to be deployed.
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
constexpr std::string_view kLfsPointer = "version https://git-lfs.github.com/spec/";
constexpr uint32_t kLinkMode = 0120000;
constexpr uint32_t kSubmoduleMode = 0160000;
constexpr size_t kMaxLinkSteps = 8;  // links that lead to links

std::string_view DirectoryOf(std::string_view path) {  // "" or "a/b/"
  return path.substr(0, path.rfind('/') + 1);
}
std::string_view NameOf(std::string_view path) { return path.substr(path.rfind('/') + 1); }

bool IsHidden(std::string_view path) {
  return path.starts_with('.') || path.find("/.") != std::string_view::npos;
}

// What a file says of its directory: that it is to be rendered, and how to get what can be pushed.
struct Renderer {
  std::string_view file;     // of the directory
  std::string_view besides;  // a file or directory ("templates/") of it that has to be there, too
  std::string_view sentence;
};
constexpr std::string_view kKustomization =
    "a directory with a kustomization.yaml is not rendered yet; remove it and list plain "
    "manifests, "
    "or put the directory into .sourceignore";
constexpr std::string_view kChart =
    "this directory is a Helm chart, which is not rendered yet; push what helm template makes of "
    "it, or put the directory into .sourceignore";
constexpr std::string_view kJsonnet =
    "this directory is a Jsonnet application, which is not rendered yet; push the manifests that "
    "it "
    "makes, or put the directory into .sourceignore";
constexpr Renderer kRenderers[] = {
    {"kustomization.yaml", "", kKustomization}, {"kustomization.yml", "", kKustomization},
    {"Kustomization", "", kKustomization},      {"Chart.yaml", "templates/", kChart},
    {"Chart.yaml", "values.yaml", kChart},      {"jsonnetfile.json", "", kJsonnet},
};

bool IsRenderersName(std::string_view name) {
  return std::any_of(std::begin(kRenderers), std::end(kRenderers), [&](const Renderer& each) {
    return each.file == name || each.besides == name;
  });
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
    const std::string_view wanted = path ? std::string_view(*path) : kManifests;
    const TreeEntry* hidden_by = SubmoduleAbove(wanted);
    if (hidden_by != nullptr) {
      Refuse(hidden_by->path,
             "this is a submodule, and " + std::string(wanted.substr(0, wanted.size() - 1)) +
                 " in it is to be deployed, which plumb cannot see; add its files to this "
                 "repository instead");
    }
    if (path) {
      selection_.root = *path;
      found_.missing = !path->empty() && !HasDirectory(*path);
      if (found_.missing && hidden_by == nullptr) {
        Refuse(path->substr(0, path->size() - 1),
               "the commit has no such directory; add it, or correct spec.path of the "
               "Kustomization");
      }
    } else if (HasDirectory(kManifests) || hidden_by != nullptr) {
      selection_.root = kManifests;
    }
  }

  base::Result<Discovery> Run() {
    RETURN_IF_ERROR(ReadIgnoreFiles());
    std::vector<const TreeEntry*> links;
    for (const auto& [path, entry] : by_path_) {
      const bool submodule = entry->mode == kSubmoduleMode;
      if (!selection_.Contains(path, submodule)) continue;
      if (submodule) {
        RefuseSubmodule(path);
      } else if (RefuseToRender(path)) {
        continue;
      } else if (entry->mode == kLinkMode) {
        links.push_back(entry);
      } else if (IsManifestName(path)) {
        deployed_.emplace(entry->path, ManifestFile{entry->path, entry->oid, entry->size});
      }
    }
    for (const TreeEntry* link : links) {
      if (!InRendered(link->path)) RETURN_IF_ERROR(AddLink(*link));
    }
    selection_.links = !links.empty();
    found_.selection = std::make_shared<const Selection>(std::move(selection_));
    for (auto& [path, file] : deployed_) {
      (InRendered(path) ? found_.unread : found_.files).push_back(std::move(file));
    }
    std::stable_sort(found_.errors.begin(), found_.errors.end(),
                     [](const SourceError& a, const SourceError& b) { return a.path < b.path; });
    return std::move(found_);
  }

 private:
  bool HasDirectory(std::string_view path) const {  // "a/b/"
    const auto first = by_path_.lower_bound(path);
    return first != by_path_.end() && first->first.starts_with(path);
  }

  // The submodule at a directory ("a/b/") or at one above it.
  const TreeEntry* SubmoduleAbove(std::string_view directory) const {
    for (size_t end = directory.find('/'); end != std::string_view::npos;
         end = directory.find('/', end + 1)) {
      const auto at = by_path_.find(directory.substr(0, end));
      if (at != by_path_.end() && at->second->mode == kSubmoduleMode) return at->second;
    }
    return nullptr;
  }

  void RefuseSubmodule(std::string_view path) {
    Refuse(
        path,
        "this is a submodule, another repository, whose files plumb cannot see; add its files to "
        "this repository instead, or list it in .sourceignore");
  }

  // Of each directory once.
  bool RefuseToRender(std::string_view path) {
    const std::string_view directory = DirectoryOf(path);
    for (const Renderer& renderer : kRenderers) {
      if (NameOf(path) != renderer.file) continue;
      const std::string besides = std::string(directory) + std::string(renderer.besides);
      const bool there = renderer.besides.empty() || by_path_.contains(besides) ||
                         (besides.ends_with('/') && HasDirectory(besides));
      if (!there) continue;
      if (!InRendered(path)) Refuse(path, std::string(renderer.sentence));
      rendered_.insert(std::string(directory));
      return true;
    }
    return false;
  }

  bool InRendered(std::string_view path) const {
    if (rendered_.empty()) return false;
    for (size_t end = 0;; end = path.find('/', end) + 1) {
      if (rendered_.contains(path.substr(0, end))) return true;
      if (path.find('/', end) == std::string_view::npos) return false;
    }
  }

  void Refuse(std::string_view path, std::string message) {
    found_.errors.push_back(SourceError{std::string(path), {}, std::move(message)});
  }

  base::Status ReadIgnoreFiles() {
    for (const auto& [path, entry] : by_path_) {
      if (NameOf(path) != kIgnoreFile || entry->mode == kLinkMode ||
          entry->mode == kSubmoduleMode) {
        continue;
      }
      if (entry->size > kMaxIgnoreBytes) {
        Refuse(path, "a .sourceignore may have " + std::to_string(kMaxIgnoreBytes) +
                         " bytes; use fewer, wider patterns");
        continue;
      }
      ASSIGN_OR_RETURN(const std::string text, read_(entry->oid));
      if (text.starts_with(kLfsPointer)) {
        Refuse(path,
               "this is a pointer of Git LFS, not the file that it stands for, which plumb "
               "does not have; keep it out of LFS");
        continue;
      }
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
      if (SubmoduleAbove(at + "/") != nullptr) {
        Refuse(link.path,
               "this symbolic link leads into a submodule, another repository, whose files plumb "
               "cannot see; copy the file here");
        return base::Status();
      }
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
  std::set<std::string, std::less<>> targets_;   // that a link brought in
  std::set<std::string, std::less<>> rendered_;  // directories that ask to be: "", "a/b/"
  Discovery found_;
};

}  // namespace

bool Selection::Contains(std::string_view path, bool directory) const {
  if (!path.starts_with(root) || IsHidden(path.substr(root.size()))) return false;
  for (size_t end = 0;; ++end) {  // every directory above, the repository's root included
    const auto rules = ignored.find(path.substr(0, end));
    if (rules != ignored.end() && rules->second.Ignored(path.substr(end), directory)) {
      return false;
    }
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
  const auto is_special = [](const std::optional<TreeEntry>& entry) {
    return entry && (entry->mode & kTypeMask) != kRegular;
  };
  if (selection.links || is_special(change.before) || is_special(change.after)) return true;
  if (NameOf(path) == kIgnoreFile || IsRenderersName(NameOf(path))) return true;
  return selection.root.empty() && !selection.given && path.starts_with(kManifests);
}

base::Result<Discovery> Discover(const std::vector<TreeEntry>& entries,
                                 const ReadBlobFunction& read,
                                 const std::optional<std::string>& path) {
  return Discoverer(entries, read, path).Run();
}

}  // namespace gitsync

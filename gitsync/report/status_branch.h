// What plumb tells a repository about its deploys: the tree of the branch plumb/status, its commit
// message, and the note on the deployed commit. Pure: a View in, text out.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "gitsync/plan/application.h"
#include "gitsync/plan/history.h"
#include "manifests/schema.h"
#include "state/view.h"

namespace gitsync {

inline constexpr std::string_view kStatusRef = "refs/heads/plumb/status";
inline constexpr std::string_view kNotesRef = "refs/notes/plumb";
// Where it is told: as above for the application of the repository's own name, with "-NAME" behind
// it for any other.
std::string StatusRef(const Deploy& deploy);
std::string NotesRef(const Deploy& deploy);
// The branch holds at most this many commits and one: the next starts it anew, without parents.
inline constexpr size_t kMaxStatusCommits = 500;
inline constexpr size_t kMaxReadmeRows = 200;  // the unhealthy first; the rest is counted

// What a tree was made of: the next one costs what differs. Immutable.
struct StatusRow {
  state::Key key;
  state::ObjectPtr object;  // null if it is missing
  std::string kind;         // "Deployment.apps"
  std::string path;
  std::string level;  // "healthy", "progressing", "failed", "missing"
  std::string reason;
};
struct Rendered {
  Inventory inventory;
  std::vector<std::shared_ptr<const StatusRow>> rows;  // by key
};

struct StatusTree {
  std::map<std::string, std::string> files;  // path -> content: README.md and one an object
  std::set<std::string> removed;             // of the tree before, if there was one
  std::string message;                       // of the commit
  std::string note;
  std::shared_ptr<const Rendered> rendered;
};

// `view` holds the repository's inventory. No file holds anything of an object but its identity,
// its health and its status: of a Secret, that it is there. With `last`, files and removed are what
// differs from its tree; without, the whole.
StatusTree RenderStatus(const state::View& view, const Deploy& deploy,
                        const Rendered* last = nullptr);

// The note alone, without a look at the objects: of a superseded deploy.
std::string RenderNote(const Deploy& deploy);

// True if a commit's body or a note, written by the above, is of this deploy.
bool Records(std::string_view text, const Deploy& deploy);

}  // namespace gitsync

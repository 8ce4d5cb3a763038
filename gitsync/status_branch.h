// What plumb tells a repository about its deploys: the tree of the branch plumb/status, its commit
// message, and the note on the deployed commit. Pure: a View in, text out.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "gitsync/settlement.h"
#include "manifests/schema.h"
#include "state/view.h"

namespace gitsync {

inline constexpr std::string_view kStatusRef = "refs/heads/plumb/status";
inline constexpr std::string_view kNotesRef = "refs/notes/plumb";
// The branch holds at most this many commits and one: the next starts it anew, without parents.
inline constexpr size_t kMaxStatusCommits = 500;
inline constexpr size_t kMaxReadmeRows = 200;  // the unhealthy first; the rest is counted

struct StatusTree {
  std::map<std::string, std::string> files;  // path -> content: README.md and one an object
  std::string message;                       // of the commit
  std::string note;
};

// `view` holds the repository's record, whose inventory is what is shown. No file holds anything of
// an object but its identity, its health and its status: of a Secret, that it is there.
StatusTree RenderStatus(const state::View& view, const manifests::Schema& schema,
                        const Settlement& settlement);

// The note alone, without a look at the objects: of a superseded deploy.
std::string RenderNote(const Settlement& settlement);

// True if a commit's body or a note, written by the above, is of this settlement.
bool Records(std::string_view text, const Settlement& settlement);

}  // namespace gitsync

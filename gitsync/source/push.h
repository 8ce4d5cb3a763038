// A push as it arrives, and the session that answers it: what the hook server (edge/git_host.h) and
// the sync engine share.
#pragma once

#include <string>
#include <vector>

#include "gitsync/source/git.h"

namespace gitsync {

struct RefUpdate {
  std::string old_oid;  // 40 zeros: created
  std::string new_oid;  // 40 zeros: deleted
  std::string ref;
};

struct PushRequest {
  std::string repository;
  std::string user;
  std::vector<RefUpdate> updates;
  std::vector<std::string> options;  // push options, in order
  Quarantine quarantine;             // pre-receive only
  // Of the user, whose role bounds what the push may change: whoever has none may change nothing.
  std::vector<std::string> groups = {};
  std::vector<std::string> branches = {};  // that the user's token is bound to; empty: any
};

// Why no push may move this ref: a sentence, or nothing. Branches and tags may be pushed, but for
// those that plumb writes. A ref of another kind may go, though: earlier plumbs let them in.
std::string RefusedBecause(const RefUpdate& update);

// One hook run. Any thread; ended by Finish, once. Lines have no line end; what no terminal should
// get is taken out (base/printable.h).
class HookSession {
 public:
  virtual ~HookSession() = default;
  virtual bool Print(const std::string& line) = 0;  // false: the client is gone
  virtual void Finish(int exit_code) = 0;           // pre-receive: 0 accepts all, else none
};

}  // namespace gitsync

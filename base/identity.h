// Identity: who asks, once authenticated, and what the credential that proved it is good for.
//
// A value; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace base {

// What a credential is confined to, whatever the role of its owner. An empty list bounds nothing.
struct CredentialBounds {
  std::vector<std::string> repositories;  // it is for these, and for nothing else there is
  std::vector<std::string> branches;      // of them, that may be pushed to
  std::vector<std::string> verbs;         // "get", "push"
  bool empty() const { return repositories.empty() && branches.empty() && verbs.empty(); }
  bool operator==(const CredentialBounds&) const = default;
};

struct Identity {
  std::string user;                 // "system:node:n1", "alice"; empty: nobody
  std::vector<std::string> groups;  // "plumb:admin", "system:nodes"
  CredentialBounds bounds = {};
  // What it was proved by, "token/alice" or "certificate/5F3A": what is open ends with it. Empty:
  // nothing that could end.
  std::string credential = {};

  bool InGroup(std::string_view group) const;
};

}  // namespace base

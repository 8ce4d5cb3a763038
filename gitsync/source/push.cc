#include "gitsync/source/push.h"

#include <string_view>

#include "gitsync/source/git_rules.h"

namespace gitsync {
namespace {

constexpr std::string_view kBranches = "refs/heads/", kTags = "refs/tags/";
constexpr std::string_view kStatusBranch = "refs/heads/plumb/", kNotes = "refs/notes/";

}  // namespace

std::string RefusedBecause(const RefUpdate& update) {
  const std::string& ref = update.ref;
  // A branch "plumb" would leave no room for plumb/status.
  if (ref.starts_with(kStatusBranch) || ref.starts_with(kNotes) || ref + "/" == kStatusBranch) {
    return ref + " is written by plumb alone; push to another ref";
  }
  if (ref.starts_with(kBranches) || ref.starts_with(kTags) || update.new_oid == kZeroOid) return "";
  return ref +
         " is neither a branch nor a tag, and nothing else can be pushed; push to a ref "
         "below refs/heads/ or refs/tags/";
}

}  // namespace gitsync

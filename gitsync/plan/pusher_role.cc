// Asked for is what the commit brings: a manifest that differs from the applied commit's and from
// what is there, and that plumb would act on; and what leaves the commit and would be pruned. What
// an administrator's push brought stays in everybody's later pushes without being asked for again.
#include "gitsync/plan/pusher_role.h"

#include <algorithm>
#include <string>

#include "gitsync/plan/apply_manifest.h"
#include "gitsync/plan/plan.h"
#include "gitsync/plan/push_verdict.h"
#include "state/authorize.h"

namespace gitsync {
namespace {

class PusherRole {
 public:
  PusherRole(const base::Identity& pusher, const state::View& view, const SourceSets& sets)
      : pusher_(pusher), view_(view), sets_(sets) {}

  void Look(const Application& application, const ManifestSet& set) {
    for (const Manifest& manifest : set.manifests) LookAt(application, manifest);
    if (!application.settings.prune || !set.errors.empty()) return;
    for (const state::Key& key : *application.inventory.keys) {
      if (set.Find(key) == nullptr) LookAtGone(application, key);
    }
  }

  std::vector<SourceError> denied() && { return std::move(denied_); }

 private:
  void LookAt(const Application& application, const Manifest& manifest) {
    const state::ObjectPtr live = view_.Get(manifest.key);
    const char* verb = live == nullptr ? "create" : "patch";
    if (May(verb, manifest.key)) return;
    const Manifest* before =
        application.applied == nullptr ? nullptr : application.applied->Find(manifest.key);
    if (before != nullptr && *before->object == *manifest.object) return;
    // Of what the object itself asks for, the end may come later, and with it what was pushed now.
    if (LeavesAlone(manifest, nullptr)) return;
    if (live != nullptr && IsAsAsked(manifest, OwnerOf(application, *live), *live)) return;
    denied_.push_back(manifest.Error(
        manifest.object->mark,
        Sentence(live == nullptr ? "create" : "change", manifest.key) + ", or leave it out"));
  }

  void LookAtGone(const Application& application, const state::Key& key) {
    const state::ObjectPtr live = view_.Get(key);
    if (live == nullptr || !IsPrunedFor(application, *live)) return;
    if (!sets_.OtherWith(application.name, key).empty() || May("delete", key)) return;
    denied_.push_back(SourceError{".", {}, Sentence("delete", key) + ", or keep it in the commit"});
  }

  // What moves between the applications of a source is as it was.
  std::string OwnerOf(const Application& application, const state::Object& live) const {
    std::string owner(live.Labels()[kOwnerLabel].AsString());
    return sets_.sets.contains(owner) ? owner : application.name;
  }

  bool May(std::string_view verb, const state::Key& key) const {
    return state::AuthorizeByRole(pusher_, verb, {.key = key}, view_).ok();
  }

  std::string Sentence(const std::string& act, const state::Key& key) const {
    return key.ToString() + ": user \"" + pusher_.user + "\" may not " + act +
           " it, and a push does no more than whoever pushes may do; have an administrator push it";
  }

  const base::Identity& pusher_;
  const state::View& view_;
  const SourceSets& sets_;
  std::vector<SourceError> denied_;
};

}  // namespace

std::vector<SourceError> DeniedTo(const base::Identity& pusher, const state::View& view,
                                  const std::vector<Application>& applications,
                                  const SourceSets& sets) {
  if (pusher.InGroup(state::kAdminGroup) || pusher.InGroup(state::kMastersGroup)) return {};
  PusherRole role(pusher, view, sets);
  for (const Application& known : applications) {
    const auto set = sets.sets.find(known.name);
    const base::Result<Application> application = ReadState(view, known);
    if (set != sets.sets.end() && application.ok()) role.Look(*application, *set->second);
  }
  return std::move(role).denied();
}

}  // namespace gitsync

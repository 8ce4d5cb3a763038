// An update takes what it changes: that leaves all other managers, and what it removes leaves
// everybody. An apply owns what its configuration names, shared with whoever wants the same value;
// it is refused if that would change what another manager owns, and what it named last time, names
// no more and nobody else owns is removed.
//
// - An object that nobody's fields are known of stays so until it is first applied to; then all
//   that is there belongs to "before-first-apply".
// - kubectl, which remembers in an annotation what it applied as a client, may take over what is
//   still as it says there.
// - More than kMaxUpdateManagers updaters: the oldest become "ancient-changes".
#include "manifests/apply/apply.h"

#include <algorithm>
#include <map>
#include <utility>

#include "manifests/canonical.h"

namespace manifests {
namespace {

using base::Code;
using base::Json;
using base::Result;
using base::Status;

constexpr std::string_view kBeforeFirstApply = "before-first-apply";
constexpr std::string_view kAncientChanges = "ancient-changes";
constexpr std::string_view kKubectl = "kubectl";

base::WallTime WholeSeconds(base::WallTime time) {
  return base::WallTime::FromSeconds(time.nanos() / 1'000'000'000);
}

FieldSetPtr Share(FieldSet fields) { return std::make_shared<const FieldSet>(std::move(fields)); }

ManagedFields::iterator FindEntry(ManagedFields& entries, const FieldManager& manager) {
  return std::find_if(entries.begin(), entries.end(),
                      [&](const ManagedEntry& entry) { return entry.manager->IsSame(manager); });
}

// The set object stays the same one if its fields do.
void SetFields(ManagedEntry& entry, FieldSet fields) {
  if (entry.fields == nullptr || fields != *entry.fields) entry.fields = Share(std::move(fields));
}

void RemoveEmpty(ManagedFields& entries) {
  std::erase_if(entries, [](const ManagedEntry& entry) { return entry.fields->empty(); });
}

ManagedEntry& EntryOf(ManagedFields& entries, const FieldManager& manager) {
  const auto found = FindEntry(entries, manager);
  if (found != entries.end()) return *found;
  entries.push_back({std::make_shared<const FieldManager>(manager), {}, Share(FieldSet())});
  return entries.back();
}

// The oldest of each version of the kind begin a bucket; those after it join.
void JoinAncient(ManagedFields& entries) {
  size_t updaters = 0;
  for (const ManagedEntry& entry : entries) updaters += !entry.manager->applies;
  if (updaters <= kMaxUpdateManagers) return;
  SortEntries(entries);
  ManagedFields kept;
  std::map<std::string, size_t> buckets;  // by version: where in `kept`
  for (ManagedEntry& entry : entries) {
    const auto bucket = buckets.find(entry.manager->api_version);
    if (entry.manager->applies || updaters <= kMaxUpdateManagers) {
      kept.push_back(std::move(entry));
    } else if (bucket == buckets.end()) {
      buckets.emplace(entry.manager->api_version, kept.size());
      kept.push_back(std::move(entry));
    } else {
      ManagedEntry& joined = kept[bucket->second];
      joined.manager = std::make_shared<const FieldManager>(
          FieldManager{std::string(kAncientChanges), false, entry.manager->api_version, ""});
      SetFields(joined, joined.fields->Union(*entry.fields));
      joined.time = entry.time;
      --updaters;
    }
  }
  entries = std::move(kept);
}

// `"kubectl-client-side-apply" using apps/v1`.
std::string Print(const FieldManager& manager) {
  std::string text = "\"" + manager.name + "\"";
  if (!manager.subresource.empty()) text += " with subresource \"" + manager.subresource + "\"";
  if (!manager.applies) text += " using " + manager.api_version;
  return text;
}

// Whose fields a write would change, by who they are printed as.
using Conflicts = std::map<std::string, FieldSet>;

Status ConflictStatus(const Conflicts& conflicts) {
  std::vector<base::Cause> causes;
  std::string list;
  for (const auto& [manager, fields] : conflicts) {
    list += (list.empty() ? "conflicts with " : "\nconflicts with ") + manager + ":";
    for (const std::string& path : fields.Paths()) {
      causes.push_back({"FieldManagerConflict", "conflict with " + manager, path});
      list += "\n- " + path;
    }
  }
  const std::string count = std::to_string(causes.size());
  if (causes.size() == 1) {
    const std::string one = causes.front().message + ": " + causes.front().field;
    return Status(Code::kConflict, "Apply failed with 1 conflict: " + one, std::move(causes));
  }
  return Status(Code::kConflict, "Apply failed with " + count + " conflicts: " + list,
                std::move(causes));
}

// What naming fields changes: one that is named with what means nothing (false, []) is changed only
// where it has been something.
FieldChanges ChangesOf(const Message& root, Json live, Json applied) {
  Canonicalize(root, live);
  FieldChanges named = CompareFields(root, live, applied);
  Canonicalize(root, applied);
  const FieldChanges meant = CompareFields(root, live, applied);
  named.written = named.written.Intersection(meant.written.Union(meant.removed));
  return named;
}

// What client-side apply set and nobody has changed since: kubectl may take it over.
FieldSet StillAsLastApplied(const Application& application) {
  const Json& text = application.live["metadata"]["annotations"][kLastAppliedAnnotation];
  const Result<Json> last = base::ParseJson(text.AsString());
  if (!last.ok() || !last->IsObject()) return FieldSet();
  const Result<FieldSet> named = FieldsOf(application.root, *last);
  if (!named.ok()) return FieldSet();
  const FieldChanges since = CompareFields(application.root, *last, application.live);
  return named->Difference(since.written).Difference(since.removed);
}

Status CheckConflicts(const Application& application, const ManagedFields& entries,
                      const FieldSet& written) {
  if (application.force) return Status();
  Conflicts conflicts;
  FieldSet all;
  for (const ManagedEntry& entry : entries) {
    if (entry.manager->IsSame(application.manager)) continue;
    FieldSet taken = entry.fields->Intersection(written);
    if (taken.empty()) continue;
    all = all.Union(taken);
    FieldSet& known = conflicts[Print(*entry.manager)];
    known = known.Union(taken);
  }
  if (all.empty()) return Status();
  if (application.manager.name == kKubectl) {
    const FieldSet allowed = StillAsLastApplied(application);
    for (auto& [manager, fields] : conflicts) fields = fields.Difference(allowed);
    std::erase_if(conflicts, [](const auto& entry) { return entry.second.empty(); });
    if (conflicts.empty()) return Status();
  }
  return ConflictStatus(conflicts);
}

}  // namespace

ManagedFields AfterUpdate(ManagedFields entries, const FieldManager& writer,
                          const FieldChanges& changes, base::WallTime now) {
  if (changes.empty()) return entries;
  for (ManagedEntry& entry : entries) {
    FieldSet left = entry.fields->Difference(changes.removed);
    if (!entry.manager->IsSame(writer)) left = left.Difference(changes.written);
    SetFields(entry, std::move(left));
  }
  if (!changes.written.empty()) {
    ManagedEntry& own = EntryOf(entries, writer);
    SetFields(own, own.fields->Union(changes.written));
    own.time = WholeSeconds(now);
  }
  RemoveEmpty(entries);
  JoinAncient(entries);
  SortEntries(entries);
  return entries;
}

Result<Applied> Apply(const Application& application, ManagedFields entries) {
  Json configuration = application.configuration;
  ResolveNulls(application.root, configuration);  // a null field names nothing
  const FieldManager& manager = application.manager;
  if (entries.empty() && application.applied_before != nullptr) {
    SetFields(EntryOf(entries, manager), *application.applied_before);
  } else if (entries.empty() && !application.live.IsNull()) {
    entries =
        AfterUpdate({}, {std::string(kBeforeFirstApply), false, manager.api_version, ""},
                    CompareFields(application.root, Json(), application.live, application.without),
                    application.now);
  }
  const ManagedFields before = entries;
  ASSIGN_OR_RETURN(FieldSet named, FieldsOf(application.root, configuration));
  ManagedEntry& own = EntryOf(entries, manager);
  const FieldSet last = own.fields->Union(application.reclaimed);
  own.manager = std::make_shared<const FieldManager>(manager);
  if (!application.reclaimed.empty()) {
    const FieldSet unnamed = application.reclaimed.Difference(named);
    for (ManagedEntry& entry : entries) SetFields(entry, entry.fields->Difference(unnamed));
  }
  SetFields(own, std::move(named));
  FieldSet owned;
  for (const ManagedEntry& entry : entries) owned = owned.Union(*entry.fields);

  Applied applied;
  applied.object =
      PruneApplied(application.root,
                   MergeApplied(application.root, application.live, configuration), last, owned);
  const FieldChanges changes = ChangesOf(application.root, application.live, applied.object);
  RETURN_IF_ERROR(CheckConflicts(application, entries, changes.written));
  for (ManagedEntry& entry : entries) {
    FieldSet left = entry.fields->Difference(changes.removed);
    if (!entry.manager->IsSame(manager)) left = left.Difference(changes.written);
    SetFields(entry, std::move(left));
  }
  RemoveEmpty(entries);
  const auto self = FindEntry(entries, manager);
  if (self != entries.end() && !(changes.empty() && SameOwners(before, entries)))
    self->time = WholeSeconds(application.now);
  SortEntries(entries);
  applied.entries = std::move(entries);
  return applied;
}

}  // namespace manifests

// KindFacts: what plumb knows of a kind beyond its types: one value a kind, in manifests/kinds/
// <kind>.cc, listed in all.cc. No other room lists kinds.
//
// Pure data and pure functions of one object; any thread. What needs other objects (a workload's
// pods, what a namespace still holds) is said by the rooms above. A kind without an entry has what
// a default KindFacts says.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/document.h"
#include "base/json.h"
#include "base/time.h"
#include "manifests/kinds/health.h"
#include "manifests/kinds/pod_resources.h"
#include "manifests/kinds/references.h"

namespace manifests {

// A cell of kubectl's table that no path can name: the column's path is "=NAME" then.
struct NamedCell {
  std::string_view name;
  base::Json (*cell)(base::Value object, base::WallTime now);
};

// The pods that a workload asks for.
struct PodDemand {
  base::Value spec;  // of each
  int64_t count = 1;
};

// How an object comes and goes, where that is not by the general rules of a write.
struct Lifecycle {
  std::string_view first_phase;   // status.phase of a new object; empty: its status starts empty
  std::string_view ending_phase;  // status.phase once its deletion began; empty: as it was
  bool spec_finalizers = false;   // spec.finalizers hold it, as metadata.finalizers do
  // The seconds that a deletion leaves it if nobody says another number; nothing: it goes at once,
  // whatever anybody says.
  std::optional<int64_t> (*grace_seconds)(base::Value object) = nullptr;
};

// Which nodes' agents hold an object. Pods and Nodes, which agents report on, have rules of their
// own (nodeagent/hub/relevance.cc).
enum class HeldBy {
  kNoNode,
  kItsReaders,  // those with a pod that names it
  kEveryNode,
};

struct KindFacts {
  std::string_view resource;  // "deployments.apps", as in the keys of the store
  size_t max_bytes = 0;       // of an object that may have more than the store takes of others

  // What becomes of it.
  // It is what it was asked to be as soon as it is stored: nobody waits for it, nothing lists it.
  bool settled = false;
  // Its controller reports status.observedGeneration: without one it was not looked at yet.
  bool observed = false;
  Health (*health)(base::Value object) = nullptr;  // else HealthByConditions
  Lifecycle lifecycle;

  // What it has to do with others.
  OfObject<const ReferenceVisitor&> references;  // else those of the pods of its template
  bool named = false;                            // others name it: see Reference
  bool adoptable = false;   // a controller takes those in that have none: see state::Index::kOrphan
  bool selectable = false;  // others look for it by its labels: see state::Index::kLabel
  HeldBy held_by = HeldBy::kNoNode;
  // The pods that it asks for, where a controller or the object itself makes them; nothing: none.
  std::optional<PodDemand> (*pods)(base::Value object) = nullptr;
  bool rules_namespace = false;           // says what may be made in its namespace, and how
  bool short_quota = false;               // a ResourceQuota counts it by its plural alone, too
  OfObject<ResourceList&> quota_amounts;  // what it adds to a quota besides its number

  // How it is shown.
  bool judged = true;  // plumb status says when it is not well; false: it only reports
  bool (*hidden)(base::Value object) = nullptr;  // is left out below its owner
  std::span<const NamedCell> cells;              // beside those that all kinds have
  // Short facts for plumb status; else the images of its template.
  std::vector<std::string> (*notes)(base::Value object) = nullptr;
};

// All that have an entry, in the order in which a push applies them: what others need comes first.
std::span<const KindFacts* const> AllKinds();

// Never missing: a kind without an entry has the default one.
const KindFacts& FactsOf(std::string_view resource);

// Its place among AllKinds(), or their number: what is unknown comes last.
size_t RankOf(std::string_view resource);

// Calls `visit` for all that an object of this resource names.
void ForEachReference(std::string_view resource, const base::Value& object,
                      const ReferenceVisitor& visit);
void ForEachReference(std::string_view resource, const base::Json& object,
                      const ReferenceVisitor& visit);

// Null if neither the kind nor all kinds have a cell of that name.
const NamedCell* FindCell(std::string_view resource, std::string_view name);

// For plumb status: "node-1", "10.88.1.4", "2 restarts".
std::vector<std::string> NotesOf(std::string_view resource, base::Value object);

}  // namespace manifests

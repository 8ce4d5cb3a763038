// Health: has an object become what it was asked to be? What its kind says (manifests/kinds/), and
// which container is to blame. Pure.
#pragma once

#include <optional>
#include <string>

#include "manifests/kinds/health.h"
#include "state/view.h"

namespace gitsync {

using manifests::Health;

// True for kinds that are what they are as soon as they are stored (ConfigMap, Secret, ...).
bool IsInert(const state::Key& key);

Health HealthOf(const state::Object& object, const state::View& view);

// A container that keeps a workload from becoming ready.
struct Trouble {
  state::ObjectPtr pod;
  std::string container;
  std::string text;       // "pod web-1: container web: CrashLoopBackOff, last exit 1 (Error)"
  bool crashed = false;   // it ran, and ended: there may be a log
  bool previous = false;  // the log is of the instance before the one that runs now
};

// The first one among the pods that the object owns, directly or through a ReplicaSet.
std::optional<Trouble> FindTrouble(const state::Object& object, const state::View& view);

// Why a workload's pods do not become ready: "pod web-1: container web: CrashLoopBackOff, last
// exit 1 (Error)". Empty if none says so.
std::string PodTrouble(const state::Object& object, const state::View& view);

}  // namespace gitsync

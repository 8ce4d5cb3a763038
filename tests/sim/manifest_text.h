// What the simulation's users write: manifests, good ones and those that must be refused. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/rng.h"

namespace tests {

// A Deployment with its ConfigMap and a Service. `version` is what distinguishes two pushes.
struct App {
  int replicas = 2;
  std::string image = "x/run";
  int milli_cpu = 200;
  bool probe = false;
  int version = 0;
};
std::string AppText(const std::string& name, const App& app);
// One that becomes healthy; with `sick`, perhaps one that never does.
App RandomApp(base::Rng& rng, int version, bool sick);

// A DaemonSet of healthy pods.
std::string DaemonText(const std::string& name, int version);
std::string ConfigText(const std::string& name, int version, int wave = 0);
std::string SecretText(const std::string& name, int version);
// A namespace, and in it a ConfigMap and a ReplicaSet.
std::string NamespaceText(const std::string& name, int version);

// What begins so is never deleted, whatever is pushed: it only moves between applications.
inline constexpr char kSidePrefix[] = "side-";

// Stands in every object that must never be stored.
inline constexpr char kForbidden[] = "must-not-be-stored";

struct BadText {
  const char* why;
  std::string text;
};
// Each must be refused, whatever the state is.
std::vector<BadText> BadTexts();

}  // namespace tests

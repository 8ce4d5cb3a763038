// TestCluster: a store on virtual time with a few helpers that speak YAML, for tests of everything
// that reads or writes objects.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/faults.h"
#include "base/testing/sim_loop.h"
#include "state/draft.h"
#include "state/store.h"
#include "state/testing/memory_storage.h"

namespace state {

class TestCluster {
 public:
  explicit TestCluster(uint64_t seed = 1,
                       manifests::SchemaPtr schema = manifests::Schema::BuiltIn(),
                       size_t log_window = StoreOptions().log_window);

  // A context for drafts, with the loop's time and a fresh seed.
  DraftContext Context();

  // Creates or updates every document of `yaml`. A failure is a test failure.
  void Apply(std::string_view yaml);
  // The same, but "OK" or the error comes back, and nothing is changed on an error.
  std::string Try(std::string_view yaml);
  void Delete(std::string_view resource, std::string_view ns, std::string_view name,
              DeleteOptions options = {});
  // Replaces the status; `yaml` is a mapping.
  void SetStatus(std::string_view resource, std::string_view ns, std::string_view name,
                 std::string_view yaml);
  void Bind(std::string_view ns, std::string_view pod, std::string_view node);
  // A ready node with room, and the namespaces "default" and `more`.
  void AddNode(std::string_view name, std::string_view cpu = "4", std::string_view memory = "8Gi");
  void AddNamespace(std::string_view name);

  ObjectPtr Get(std::string_view resource, std::string_view ns, std::string_view name) const;
  // The value at a path like "status.replicas", as canonical JSON; "absent" if the object or the
  // field is not there.
  std::string Field(std::string_view resource, std::string_view ns, std::string_view name,
                    std::string_view path) const;
  // Names of all objects of a resource in all namespaces, as "ns/name ns/name".
  std::string Names(std::string_view resource) const;

  // Ends the process and starts it again: what was not durable is lost. What was built over store()
  // must be rebuilt.
  void Crash();

  // Lets all that is due happen.
  void Settle(base::Duration span = base::Duration::Seconds(1)) { loop.RunFor(span); }

  base::Faults faults;
  base::SimLoop loop;
  MemoryStorage storage;
  ClusterConfig config;
  manifests::SchemaPtr schema;  // of the store, from when it is opened
  Store& store() { return *store_; }
  const Store& store() const { return *store_; }

 private:
  void Open();
  base::Status TryApply(Draft& draft, std::string_view yaml);
  void CommitOrFail(const Draft& draft);

  const size_t log_window_;
  base::Rng seeds_;
  std::unique_ptr<Store> store_;
};

// The value at "a.b[0].c", or a missing one.
base::Value Dig(base::Value value, std::string_view path);

}  // namespace state

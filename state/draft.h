// Draft: changes being made to a View, by the rules of the API: defaults, validation, admission,
// generations, finalizers, graceful deletion. REST, the sync engine and the controllers all write
// through it, so that they cannot differ.
//
// A value on one thread; pure (time, names and addresses come from its Context). Later changes see
// earlier ones. What it stages becomes one Transaction, whose preconditions are the revisions that
// the View had.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/rng.h"
#include "base/status.h"
#include "base/time.h"
#include "manifests/schema.h"
#include "manifests/validate.h"
#include "state/actor.h"
#include "state/admission/quota_ledger.h"
#include "state/transaction.h"
#include "state/view.h"

namespace state {

// What is the same for all drafts of a server.
struct ClusterConfig {
  std::string service_cidr = "10.96.0.0/16";
  std::string pod_cidr = "10.88.0.0/13";
  int pod_prefix_length = 24;  // of a node's share of pod_cidr
  int node_port_first = 30000, node_port_last = 32767;
  std::string cluster_domain = "cluster.local";
  // Where pods reach the API server itself; no address if none is known.
  std::string api_address = {};
  int api_port = 6443;
  std::vector<manifests::KindCheck> checks = {};  // what the rooms above know of kinds
};

struct DraftContext {
  const ClusterConfig* config = nullptr;
  base::WallTime now;
  // Of uids and generated names: never the same for two drafts of a store's life.
  uint64_t seed = 0;
  ActorPtr actor = nullptr;  // who writes
};

enum class Propagation { kDefault, kBackground, kForeground, kOrphan };

struct DeleteOptions {
  Propagation propagation = Propagation::kDefault;
  std::optional<int64_t> grace_period_seconds;  // of pods; absent: the pod's own
  std::string uid;                              // precondition, if not empty
  std::string resource_version;                 // precondition, if not empty
};

struct ApplyOptions {
  bool force = false;
  std::string_view subresource = {};
  // As in manifests::Application.
  manifests::FieldSet reclaimed = {};
  const manifests::FieldSet* applied_before = nullptr;
};

class Draft {
 public:
  // `view` is a store's: it has the schema.
  Draft(View view, const DraftContext& context);

  // `object` has its apiVersion and kind. The staged object comes back. kAlreadyExists, kInvalid,
  // kForbidden (quota, a namespace that ends), kNotFound (the namespace).
  base::Result<ObjectPtr> Create(base::Json object, manifests::UnknownFields unknown = kStrict);

  // Replaces all but the status. A metadata.resourceVersion in `object` is a precondition
  // (kConflict). kNotFound. What changes belongs to the actor's manager from now on, as written
  // through `subresource` if there is one.
  base::Result<ObjectPtr> Update(base::Json object, manifests::UnknownFields unknown = kStrict,
                                 std::string_view subresource = {});

  // Server-side apply: what the actor's manager wants of the object, which is created if it is not
  // there. kConflict, with a cause for each field, if other managers own fields that would get
  // another value, unless `force` takes them; otherwise as Create and Update. Through "status" only
  // the status is applied; through any subresource an object that is not there is kNotFound.
  base::Result<ObjectPtr> Apply(base::Json configuration, const ApplyOptions& options = {});

  // Replaces the status only (and, for nodes, labels and annotations stay as they are).
  base::Result<ObjectPtr> UpdateStatus(const Key& key, base::Json status);

  // Sets spec.nodeName of a pod that has none. kConflict if it is bound or ending.
  // With a `status`, that is replaced in the same step.
  base::Result<ObjectPtr> Bind(const Key& pod, std::string_view node,
                               std::optional<base::Json> status = std::nullopt);

  // Begins the deletion, or completes it if nothing holds the object. The object as it is then, or
  // was. kNotFound, kConflict (a precondition), kForbidden.
  base::Result<ObjectPtr> Delete(const Key& key, const DeleteOptions& options);

  // Takes back a deletion that has begun and not ended, which no client can: for what must not go,
  // and did begin to when it still could. kNotFound.
  base::Result<ObjectPtr> Undelete(const Key& key);

  // What Create, Update and Apply would find wrong with `object`, which has its defaults.
  manifests::Findings Validate(const manifests::Kind& kind, const base::Json& object,
                               manifests::UnknownFields unknown) const;

  // From now on, what only one may have (node ports, addresses of Services, room in a quota) may be
  // taken before who has it has given it up. Settle says whether that came to be.
  void JudgeAtEnd() { judges_at_end_ = true; }

  // What took more than the end of the draft leaves it, in the order of the writes. Each is undone.
  struct Refusal {
    Key key;
    base::Status why;
  };
  std::vector<Refusal> Settle();

  // The state as it would be.
  const View& view() const { return view_; }
  const DraftContext& context() const { return context_; }
  const manifests::Schema& schema() const { return *view_.schema(); }
  // "spec.x is accepted but not acted on yet", in the order they came up.
  const std::vector<std::string>& warnings() const { return warnings_; }

  // What changed, in the order of first touch; objects that ended up as they were are left out.
  Transaction Finish() const;

 private:
  static constexpr manifests::UnknownFields kStrict = manifests::UnknownFields::kError;
  struct Staged {
    ObjectPtr before;  // null if created
  };

  // The managers of an object that was one and is now another.
  using Managers =
      std::function<manifests::ManagedFieldsPtr(const base::Json& before, const base::Json& after)>;
  Managers Written(const manifests::Kind& kind, manifests::ManagedFieldsPtr known,
                   std::string_view subresource) const;
  manifests::FieldManager Manager(const manifests::Kind& kind, bool applies,
                                  std::string_view subresource) const;

  base::Result<ObjectPtr> CreateNamed(base::Json object, manifests::UnknownFields unknown);
  base::Result<ObjectPtr> Add(const manifests::Kind& kind, base::Json object,
                              manifests::UnknownFields unknown, const Managers& managers);
  base::Result<ObjectPtr> Replace(const manifests::Kind& kind, const ObjectPtr& old,
                                  base::Json object, manifests::UnknownFields unknown,
                                  const Managers& managers);
  // Its kind, in the version that is stored, into which it is converted.
  base::Result<const manifests::Kind*> Intake(base::Json& object) const;
  base::Status Admit(const manifests::Kind& kind, const Key& key, base::Json& object,
                     const Object* old);
  // `before`: what it replaces, if anything.
  base::Status CheckObject(const manifests::Kind& kind, base::Json& object,
                           manifests::UnknownFields unknown, const base::Json* before = nullptr);
  // Whether what it has is its own, as the draft stands.
  base::Status CheckOwn(const Key& key);
  ObjectPtr Stage(const Key& key, const base::Json& object, manifests::ManagedFieldsPtr managers);
  void StageRemoval(const Key& key);
  void Touch(const Key& key);
  void Put(const Key& key, ObjectPtr object);
  ObjectPtr StageUpdate(const ObjectPtr& old, const base::Json& object,
                        manifests::ManagedFieldsPtr managers);

  View view_;
  DraftContext context_;
  base::Rng rng_;
  std::map<Key, Staged> staged_;
  std::vector<Key> order_;
  std::vector<std::string> warnings_;
  QuotaLedger quotas_;
  bool judges_at_end_ = false;
  std::vector<Key> doubtful_;  // what took something that another had at that time
};

}  // namespace state

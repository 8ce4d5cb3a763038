// The rules of a write, in the order of the Kubernetes API:
//   create: name -> canonical form, defaults -> admission -> validation -> uid, times, generation
//           1; the status starts empty
//   update: precondition -> system fields and status kept -> canonical form, defaults -> what was
//           filled in for another type goes -> admission -> validation -> generation + 1 if
//           anything outside metadata and status means something else now
//   apply:  the configuration is merged into what is there, by who owns what; then as above
//   delete: a pod that runs gets its grace period; an object with finalizers waits for them; else
//           it goes at once
//   undelete: times of the deletion and the finalizers that it brought go, defaults come back
// Whoever creates or changes fields manages them from then on; what defaults and admission add on
// the way of an apply has no manager.
#include "state/draft.h"

#include <algorithm>
#include <set>

#include "manifests/apply/apply.h"
#include "manifests/canonical.h"
#include "manifests/kinds/kind_facts.h"
#include "manifests/server_metadata.h"
#include "manifests/versions.h"
#include "state/admission/admission.h"

namespace state {
namespace {

constexpr std::string_view kStatus = "status";
constexpr std::string_view kForegroundFinalizer = "foregroundDeletion";
constexpr std::string_view kOrphanFinalizer = "orphan";

Key KeyOf(const manifests::Kind& kind, const base::Json& object) {
  const base::Json& metadata = object["metadata"];
  return Key{kind.Resource(), kind.namespaced ? std::string(metadata["namespace"].AsString()) : "",
             std::string(metadata["name"].AsString())};
}

bool HasStatus(const manifests::Kind& kind) {
  return std::find(kind.subresources.begin(), kind.subresources.end(), "status") !=
         kind.subresources.end();
}

// What a write of the specification leaves alone.
std::string_view StatusApart(const manifests::Kind& kind) {
  return HasStatus(kind) ? kStatus : std::string_view();
}

std::string Quoted(const manifests::Kind& kind, std::string_view name) {
  return kind.Resource() + " \"" + std::string(name) + "\"";
}

// Everything that counts as the specification: all but metadata, status and the type.
base::Json SpecificationOf(const base::Json& object) {
  base::Json rest = object;
  for (const char* field : {"apiVersion", "kind", "metadata", "status"}) rest.Remove(field);
  return rest;
}

void AddFinalizer(base::Json& object, std::string_view finalizer) {
  base::Json& finalizers = object["metadata"]["finalizers"];
  for (const base::Json& each : finalizers.Elements()) {
    if (each.AsString() == finalizer) return;
  }
  finalizers.Append(finalizer);
}

// Only what the server sets about an object stays in its metadata from `old`.
void KeepSystemMetadata(const base::Json& old, base::Json& object) {
  base::Json& metadata = object["metadata"];
  const auto keep = [&](std::string_view field) {
    if (const base::Json* value = old["metadata"].Find(field)) {
      metadata.Set(field, *value);
    } else {
      metadata.Remove(field);
    }
  };
  for (const std::string_view field : manifests::kServerSetMetadata) keep(field);
  keep("generateName");
}

base::Status CheckPreconditions(const manifests::Kind& kind, const Object& old,
                                const base::Json& metadata) {
  const std::string_view version = metadata["resourceVersion"].AsString();
  if (!version.empty() && version != std::to_string(old.revision)) {
    return base::Status(base::Code::kConflict,
                        "Operation cannot be fulfilled on " + Quoted(kind, old.key.name) +
                            ": the object has been modified; please apply your changes to the "
                            "latest version and try again");
  }
  const std::string_view uid = metadata["uid"].AsString();
  if (uid.empty() || uid == old.Uid()) return base::Status();
  return base::Status(base::Code::kConflict,
                      Quoted(kind, old.key.name) + " is another object by now: its uid is " +
                          std::string(old.Uid()) + ", not " + std::string(uid));
}

manifests::ManagedFieldsPtr Share(manifests::ManagedFields entries) {
  if (entries.empty()) return nullptr;
  return std::make_shared<const manifests::ManagedFields>(std::move(entries));
}

// A client may write managedFields: one empty entry forgets all, and a list that cannot be read, or
// is empty, comes from a client that does not know of them.
manifests::ManagedFieldsPtr SentManagers(const base::Json& sent,
                                         const manifests::ManagedFieldsPtr& known) {
  if (sent.size() == 1 && sent.At(0).IsObject() && sent.At(0).empty()) return nullptr;
  base::Result<manifests::ManagedFields> read = manifests::ParseManagedFields(sent);
  if (!read.ok() || read->empty()) return known;
  if (known != nullptr && SameOwners(*known, *read)) return known;
  return Share(*std::move(read));
}

const manifests::Lifecycle& LifecycleOf(const Key& key) {
  return manifests::FactsOf(key.resource).lifecycle;
}

// Finalizers keep the object from going.
bool IsHeld(const Key& key, const base::Json& object) {
  return !object["metadata"]["finalizers"].empty() ||
         (LifecycleOf(key).spec_finalizers && !object["spec"]["finalizers"].empty());
}

// How long a deletion of `old` leaves it. A second one may only shorten the wait.
int64_t GraceSeconds(const Object& old, const DeleteOptions& options) {
  const manifests::Lifecycle& lifecycle = LifecycleOf(old.key);
  if (lifecycle.grace_seconds == nullptr) return 0;
  const std::optional<int64_t> own = lifecycle.grace_seconds(old.document.root());
  const int64_t grace = own ? options.grace_period_seconds.value_or(*own) : 0;
  if (!old.Deleting()) return grace;
  const int64_t left = old.Meta("deletionGracePeriodSeconds").AsInt();
  return options.grace_period_seconds ? std::min(grace, left) : left;
}

constexpr std::string_view kNameAlphabet =
    "bcdfghjklmnpqrstvwxz2456789";  // no vowels: no words by accident
constexpr size_t kMaxGeneratedBase = 58;

std::string GenerateName(std::string_view base, base::Rng& rng) {
  std::string name(base.substr(0, kMaxGeneratedBase));
  for (int i = 0; i < 5; ++i) name += kNameAlphabet[rng.Below(kNameAlphabet.size())];
  return name;
}

}  // namespace

Draft::Draft(View view, const DraftContext& context)
    : view_(std::move(view)), context_(context), rng_(context.seed) {}

base::Result<const manifests::Kind*> Draft::Intake(base::Json& object) const {
  const std::string_view api_version = std::as_const(object)["apiVersion"].AsString();
  const std::string_view name = std::as_const(object)["kind"].AsString();
  const manifests::Kind* kind = schema().FindKind(api_version, name);
  if (kind == nullptr) {
    return base::Status(base::Code::kNotFound, "no kind \"" + std::string(name) +
                                                   "\" is registered for version \"" +
                                                   std::string(api_version) + "\"");
  }
  const manifests::Kind& stored = manifests::StorageVersion(schema(), *kind);
  if (&stored != kind) object = manifests::Convert(std::move(object), stored);
  return &stored;
}

manifests::Findings Draft::Validate(const manifests::Kind& kind, const base::Json& object,
                                    manifests::UnknownFields unknown) const {
  if (context_.config == nullptr) return manifests::Validate(kind, object, unknown);
  return manifests::Validate(kind, object, unknown, context_.config->checks);
}

base::Status Draft::Admit(const manifests::Kind& kind, const Key& key, base::Json& object,
                          const Object* old) {
  bool doubt = false;
  AdmissionRequest request{view_, context_, kind, key, object, old, warnings_, quotas_};
  if (judges_at_end_) request.doubt = &doubt;
  for (const Admission admit : AllAdmissions()) RETURN_IF_ERROR(admit(request));
  if (doubt) doubtful_.push_back(key);
  return base::Status();
}

base::Status Draft::CheckOwn(const Key& key) {
  const ObjectPtr object = view_.Get(key);
  const auto staged = staged_.find(key);
  // What was refused after it had been in doubt is as it was.
  if (object == nullptr || staged == staged_.end()) return base::Status();
  const manifests::Kind* kind = schema().FindByResource(key.resource);
  CHECK(kind != nullptr);
  base::Json json = object->document.ToJson();
  AdmissionRequest request{view_,     context_, *kind, key, json, staged->second.before.get(),
                           warnings_, quotas_};
  request.staged = true;
  return CheckExclusive(request);
}

// The newest of those in doubt is refused first: what came before it may stand without it. Giving
// something back may take it from one that was not in doubt, so all are looked at again then.
std::vector<Draft::Refusal> Draft::Settle() {
  std::vector<Refusal> refused;
  std::vector<Key> doubtful(doubtful_.rbegin(), doubtful_.rend());
  doubtful_.clear();
  std::set<Key> undone;
  while (!doubtful.empty()) {
    bool again = false;
    for (const Key& key : doubtful) {
      if (undone.contains(key)) continue;
      base::Status own = CheckOwn(key);
      if (own.ok()) continue;
      refused.push_back({key, std::move(own)});
      undone.insert(key);
      Put(key, staged_.at(key).before);
      again = true;
    }
    doubtful.clear();
    if (again) doubtful.assign(order_.rbegin(), order_.rend());
  }
  std::map<Key, size_t> place;
  for (size_t i = 0; i < order_.size() && !refused.empty(); ++i) place.emplace(order_[i], i);
  std::sort(refused.begin(), refused.end(),
            [&](const Refusal& a, const Refusal& b) { return place.at(a.key) < place.at(b.key); });
  return refused;
}

// What was wrong before stays as it is: a rule that came later must not keep a controller from
// scaling, or from letting go, what was stored without it.
void DropKnown(std::vector<manifests::Problem>& errors,
               const std::vector<manifests::Problem>& before) {
  std::set<std::pair<std::string_view, std::string_view>> known;
  for (const manifests::Problem& each : before) known.emplace(each.field, each.message);
  std::erase_if(errors, [&](const manifests::Problem& error) {
    return known.contains({error.field, error.message});
  });
}

base::Status Draft::CheckObject(const manifests::Kind& kind, base::Json& object,
                                manifests::UnknownFields unknown, const base::Json* before) {
  manifests::Findings findings = Validate(kind, object, unknown);
  if (before != nullptr && !findings.errors.empty())
    DropKnown(findings.errors, Validate(kind, *before, unknown).errors);
  for (const manifests::Problem& warning : findings.warnings) {
    warnings_.push_back(warning.field + ": " + warning.message);
  }
  if (!findings.errors.empty()) {
    return manifests::ToStatus(kind, object["metadata"]["name"].AsString(), findings.errors);
  }
  if (unknown != manifests::UnknownFields::kError) manifests::DropUnknown(kind, object);
  return base::Status();
}

base::Result<ObjectPtr> Draft::Create(base::Json object, manifests::UnknownFields unknown) {
  base::Json& metadata = object["metadata"];
  if (!metadata.IsNull() && !metadata.IsObject()) {
    return base::Status(base::Code::kInvalid, "metadata must be an object");
  }
  const std::string base(std::as_const(metadata)["generateName"].AsString());
  if (!std::as_const(metadata)["name"].AsString().empty() || base.empty()) {
    return CreateNamed(std::move(object), unknown);
  }
  const std::string name = GenerateName(base, rng_);
  metadata.Set("name", name);
  base::Result<ObjectPtr> created = CreateNamed(std::move(object), unknown);
  if (created.ok()) return created;
  // A name that never came to be would make every attempt's message a different one.
  std::string message(created.status().message());
  for (size_t at; (at = message.find(name)) != std::string::npos;)
    message.replace(at, name.size(), base + "*");
  return base::Status(created.status().code(), message, created.status().causes());
}

base::Result<ObjectPtr> Draft::CreateNamed(base::Json object, manifests::UnknownFields unknown) {
  ASSIGN_OR_RETURN(const manifests::Kind* kind, Intake(object));
  return Add(*kind, std::move(object), unknown, [&](const base::Json&, const base::Json& created) {
    const manifests::FieldChanges all =
        manifests::CompareFields(*kind->root, base::Json(), created, StatusApart(*kind));
    return Share(manifests::AfterUpdate({}, Manager(*kind, false, ""), all, context_.now));
  });
}

base::Result<ObjectPtr> Draft::Add(const manifests::Kind& kind, base::Json object,
                                   manifests::UnknownFields unknown, const Managers& managers) {
  base::Json& metadata = object["metadata"];
  if (!metadata["resourceVersion"].AsString().empty()) {
    return base::Status(base::Code::kBadRequest,
                        "metadata.resourceVersion must not be set on an object to create");
  }
  const Key key = KeyOf(kind, object);
  if (const ObjectPtr existing = view_.Get(key)) {
    return base::Status(base::Code::kAlreadyExists,
                        Quoted(kind, key.name) + " already exists" +
                            (existing->Deleting() ? " (it is being deleted)" : ""));
  }
  manifests::RemoveServerSetMetadata(metadata);
  if (HasStatus(kind)) object.Remove("status");
  const std::string_view phase = LifecycleOf(key).first_phase;
  if (!phase.empty()) object["status"].Set("phase", phase);
  manifests::ApplyDefaults(kind, object);
  RETURN_IF_ERROR(Admit(kind, key, object, nullptr));
  RETURN_IF_ERROR(CheckObject(kind, object, unknown));

  base::Json& checked = object["metadata"];
  checked.Set("uid", rng_.Uuid());
  checked.Set("creationTimestamp", context_.now.ToString());
  checked.Set("resourceVersion", "");
  if (kind.generation) checked.Set("generation", 1);
  return Stage(key, object, managers(base::Json(), object));
}

base::Result<ObjectPtr> Draft::Update(base::Json object, manifests::UnknownFields unknown,
                                      std::string_view subresource) {
  ASSIGN_OR_RETURN(const manifests::Kind* kind, Intake(object));
  const Key key = KeyOf(*kind, object);
  const ObjectPtr old = view_.Get(key);
  if (old == nullptr)
    return base::Status(base::Code::kNotFound, Quoted(*kind, key.name) + " not found");
  const base::Json& metadata = std::as_const(object)["metadata"];
  RETURN_IF_ERROR(CheckPreconditions(*kind, *old, metadata));
  const base::Json* sent = metadata.Find("managedFields");
  const manifests::ManagedFieldsPtr known =
      sent != nullptr && subresource.empty() ? SentManagers(*sent, old->managers) : old->managers;
  return Replace(*kind, old, std::move(object), unknown, Written(*kind, known, subresource));
}

base::Result<ObjectPtr> Draft::Replace(const manifests::Kind& kind, const ObjectPtr& old,
                                       base::Json object, manifests::UnknownFields unknown,
                                       const Managers& managers) {
  const Key& key = old->key;
  const base::Json before = old->document.ToJson();
  KeepSystemMetadata(before, object);
  if (HasStatus(kind)) {
    object.Remove("status");
    if (const base::Json* status = before.Find("status")) object.Set("status", *status);
  }
  manifests::ApplyDefaults(kind, object);
  manifests::DropDependent(kind, before, object);
  RETURN_IF_ERROR(Admit(kind, key, object, old.get()));
  RETURN_IF_ERROR(CheckObject(kind, object, unknown, &before));
  const std::vector<manifests::Problem> problems = manifests::ValidateUpdate(kind, before, object);
  if (!problems.empty()) return manifests::ToStatus(kind, key.name, problems);
  if (kind.generation &&
      !manifests::SameMeaning(*kind.root, SpecificationOf(before), SpecificationOf(object))) {
    object["metadata"].Set("generation", before["metadata"]["generation"].AsInt() + 1);
  }
  return StageUpdate(old, object, managers(before, object));
}

base::Result<ObjectPtr> Draft::Apply(base::Json configuration, const ApplyOptions& options) {
  const std::string_view subresource = options.subresource;
  ASSIGN_OR_RETURN(const manifests::Kind* kind, Intake(configuration));
  const base::Json& metadata = std::as_const(configuration)["metadata"];
  if (!metadata["managedFields"].empty())
    return base::Status(base::Code::kBadRequest, "metadata.managedFields must be nil");
  const Key key = KeyOf(*kind, configuration);
  const ObjectPtr old = view_.Get(key);
  if (old == nullptr && !subresource.empty())
    return base::Status(base::Code::kNotFound, Quoted(*kind, key.name) + " not found");
  if (old != nullptr) RETURN_IF_ERROR(CheckPreconditions(*kind, *old, metadata));

  const bool of_status = subresource == kStatus;
  if (of_status) configuration.Remove("metadata");
  std::erase_if(configuration.MutableMembers(), [&](const base::Json::Member& member) {
    if (member.key == "apiVersion" || member.key == "kind") return false;
    return of_status ? member.key != kStatus : HasStatus(*kind) && member.key == kStatus;
  });
  const base::Json live = old != nullptr ? old->document.ToJson() : base::Json();
  manifests::ManagedFields known;
  if (old != nullptr && old->managers != nullptr) known = *old->managers;
  ASSIGN_OR_RETURN(manifests::Applied applied,
                   manifests::Apply({.root = *kind->root,
                                     .live = live,
                                     .configuration = configuration,
                                     .manager = Manager(*kind, true, subresource),
                                     .force = options.force,
                                     .now = context_.now,
                                     .without = StatusApart(*kind),
                                     .reclaimed = options.reclaimed,
                                     .applied_before = options.applied_before},
                                    std::move(known)));
  const manifests::ManagedFieldsPtr entries = Share(std::move(applied.entries));
  const Managers managers = [&](const base::Json&, const base::Json&) { return entries; };
  if (old == nullptr) return Add(*kind, std::move(applied.object), kStrict, managers);
  if (of_status) return Stage(key, applied.object, entries);
  return Replace(*kind, old, std::move(applied.object), kStrict, managers);
}

base::Result<ObjectPtr> Draft::UpdateStatus(const Key& key, base::Json status) {
  const ObjectPtr old = view_.Get(key);
  if (old == nullptr)
    return base::Status(base::Code::kNotFound, key.resource + " \"" + key.name + "\" not found");
  const manifests::Kind* kind = schema().FindByResource(key.resource);
  CHECK(kind != nullptr);
  const base::Json before = old->document.ToJson();
  base::Json object = before;
  object.Set(kStatus, std::move(status));
  return Stage(key, object, Written(*kind, old->managers, kStatus)(before, object));
}

// As in Kubernetes a binding has no manager: what it sets is the scheduler's to say, once.
base::Result<ObjectPtr> Draft::Bind(const Key& pod, std::string_view node,
                                    std::optional<base::Json> status) {
  const ObjectPtr old = view_.Get(pod);
  if (old == nullptr)
    return base::Status(base::Code::kNotFound, pod.resource + " \"" + pod.name + "\" not found");
  const std::string_view bound = (*old)["spec"]["nodeName"].AsString();
  if (!bound.empty() || old->Deleting()) {
    return base::Status(base::Code::kConflict,
                        pod.ToString() + (bound.empty() ? " is being deleted"
                                                        : " is bound to " + std::string(bound)));
  }
  base::Json object = old->document.ToJson();
  object["spec"].Set("nodeName", node);
  if (status) object.Set("status", *std::move(status));
  return Stage(pod, object, old->managers);
}

base::Result<ObjectPtr> Draft::Delete(const Key& key, const DeleteOptions& options) {
  const ObjectPtr old = view_.Get(key);
  if (old == nullptr)
    return base::Status(base::Code::kNotFound, key.resource + " \"" + key.name + "\" not found");
  if (!options.uid.empty() && options.uid != old->Uid()) {
    return base::Status(base::Code::kConflict, "the uid in the precondition (" + options.uid +
                                                   ") is not that of " + key.ToString() + " (" +
                                                   std::string(old->Uid()) + ")");
  }
  if (!options.resource_version.empty() &&
      options.resource_version != std::to_string(old->revision)) {
    return base::Status(base::Code::kConflict, key.ToString() + " has resourceVersion " +
                                                   std::to_string(old->revision) + ", not " +
                                                   options.resource_version);
  }
  RETURN_IF_ERROR(CheckDeletion(key, context_));
  const manifests::Kind* kind = schema().FindByResource(key.resource);
  CHECK(kind != nullptr);
  base::Json object = old->document.ToJson();
  base::Json& metadata = object["metadata"];

  const int64_t grace = GraceSeconds(*old, options);
  if (options.propagation == Propagation::kForeground) AddFinalizer(object, kForegroundFinalizer);
  if (options.propagation == Propagation::kOrphan) AddFinalizer(object, kOrphanFinalizer);
  if (grace <= 0 && !IsHeld(key, object)) {
    StageRemoval(key);
    return old;
  }
  if (!old->Deleting()) {
    metadata.Set("deletionTimestamp", (context_.now + base::Duration::Seconds(grace)).ToString());
    metadata.Set("deletionGracePeriodSeconds", grace);
    if (kind->generation) metadata.Set("generation", metadata["generation"].AsInt() + 1);
    const std::string_view phase = LifecycleOf(key).ending_phase;
    if (!phase.empty()) object["status"].Set("phase", phase);
  } else if (grace < metadata["deletionGracePeriodSeconds"].AsInt()) {
    metadata.Set("deletionTimestamp", (context_.now + base::Duration::Seconds(grace)).ToString());
    metadata.Set("deletionGracePeriodSeconds", grace);
  }
  return Stage(key, object, old->managers);
}

base::Result<ObjectPtr> Draft::Undelete(const Key& key) {
  const ObjectPtr old = view_.Get(key);
  if (old == nullptr)
    return base::Status(base::Code::kNotFound, key.resource + " \"" + key.name + "\" not found");
  if (!old->Deleting()) return old;
  const manifests::Kind* kind = schema().FindByResource(key.resource);
  CHECK(kind != nullptr);
  base::Json object = old->document.ToJson();
  base::Json& metadata = object["metadata"];
  metadata.Remove("deletionTimestamp");
  metadata.Remove("deletionGracePeriodSeconds");
  if (base::Json* finalizers = metadata.Find("finalizers")) {
    std::erase_if(finalizers->MutableElements(), [](const base::Json& each) {
      return each.AsString() == kForegroundFinalizer || each.AsString() == kOrphanFinalizer;
    });
    if (finalizers->empty()) metadata.Remove("finalizers");
  }
  manifests::ApplyDefaults(*kind, object);  // what it gave up on its way
  return Stage(key, object, old->managers);
}

manifests::FieldManager Draft::Manager(const manifests::Kind& kind, bool applies,
                                       std::string_view subresource) const {
  const bool named = context_.actor != nullptr && !context_.actor->manager.empty();
  return {named ? context_.actor->manager : "unknown", applies, kind.ApiVersion(),
          std::string(subresource)};
}

// An object without managers gets none by an update: its first apply finds whose it is.
Draft::Managers Draft::Written(const manifests::Kind& kind, manifests::ManagedFieldsPtr known,
                               std::string_view subresource) const {
  return [this, &kind, known = std::move(known), subresource](const base::Json& before,
                                                              const base::Json& after) {
    if (known == nullptr) return known;
    const manifests::FieldChanges changes = manifests::CompareFields(*kind.root, before, after);
    if (changes.empty()) return known;
    return Share(
        manifests::AfterUpdate(*known, Manager(kind, false, subresource), changes, context_.now));
  };
}

// An update may be the one that a deletion waited for.
ObjectPtr Draft::StageUpdate(const ObjectPtr& old, const base::Json& object,
                             manifests::ManagedFieldsPtr managers) {
  const bool deleting = old->Deleting();
  const bool released =
      object["metadata"]["deletionGracePeriodSeconds"].AsInt() == 0 && !IsHeld(old->key, object);
  if (deleting && released) {
    StageRemoval(old->key);
    return old;
  }
  return Stage(old->key, object, std::move(managers));
}

void Draft::Touch(const Key& key) {
  if (staged_.count(key) != 0) return;
  staged_.emplace(key, Staged{view_.Get(key)});
  order_.push_back(key);
}

ObjectPtr Draft::Stage(const Key& key, const base::Json& json,
                       manifests::ManagedFieldsPtr managers) {
  Touch(key);
  auto object = std::make_shared<Object>();
  object->key = key;
  object->document = base::Document(json);
  object->managers = std::move(managers);
  const ObjectPtr before = view_.Get(key);
  if (before != nullptr && SameContent(*before, *object)) return before;
  object->revision = before ? before->revision : 0;
  Put(key, object);
  return object;
}

void Draft::StageRemoval(const Key& key) {
  Touch(key);
  Put(key, nullptr);
}

void Draft::Put(const Key& key, ObjectPtr object) {
  const ObjectPtr before = view_.Get(key);
  if (object == nullptr) {
    if (before != nullptr) view_.Remove(key);
  } else {
    view_.Put(object);
  }
  quotas_.Wrote(view_, before.get(), object.get());
}

Transaction Draft::Finish() const {
  Transaction transaction;
  transaction.actor = context_.actor;
  for (const Key& key : order_) {
    const ObjectPtr& before = staged_.at(key).before;
    const ObjectPtr after = view_.Get(key);
    if (before == after || (before && after && SameContent(*before, *after))) continue;
    Write write{key, std::nullopt, before ? before->revision : 0};
    if (after) {
      write.document = after->document;
      write.managers = after->managers;
    }
    transaction.writes.push_back(std::move(write));
  }
  return transaction;
}

}  // namespace state

// EndpointSlice: who stands behind a Service, for each Service with a selector.
//
// A pod counts if the selector finds it, it has an address and it has not ended. It is serving if
// it is ready, terminating if it is being deleted, and ready if it is serving and not terminating
// or the Service publishes addresses that are not ready. Its ports are the Service's, a named
// targetPort looked up in the pod itself (a port that the pod does not have is left out); pods with
// different ports stand in different slices.
//
// As little as possible is written: an endpoint stays in its slice and at its place; new ones go
// first to slices that change anyway, then to the fullest; a slice that ran empty is used again
// before another is made. A Service without endpoints keeps one empty slice, so that its readers
// can tell "none" from "not known yet". Slices of other makers are left alone, and so are those of
// a Service that lost its selector: from then on they are the user's.
#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "manifests/syntax.h"
#include "reconciler/controllers/all.h"
#include "reconciler/names.h"
#include "reconciler/pods.h"
#include "state/by_labels.h"

namespace reconciler {
namespace {

constexpr size_t kMaxEndpointsPerSlice = 100;
constexpr size_t kNameHashLength = 5;

constexpr std::string_view kSlices = "endpointslices.discovery.k8s.io";
constexpr std::string_view kServiceLabel = "kubernetes.io/service-name";
constexpr std::string_view kManagedByLabel = "endpointslice.kubernetes.io/managed-by";
constexpr std::string_view kHeadlessLabel = "service.kubernetes.io/headless";
constexpr std::string_view kManager = "plumb";

struct Endpoint {
  std::string uid;  // of the pod
  base::Json json;
};
// Endpoints with the same ports.
class Group {
 public:
  void Add(Endpoint endpoint) {
    places_.emplace(endpoint.uid, endpoints_.size());
    endpoints_.push_back(std::move(endpoint));
  }
  std::optional<Endpoint> Take(std::string_view uid) {
    const auto place = places_.find(uid);
    if (place == places_.end()) return std::nullopt;
    Endpoint endpoint = std::move(endpoints_[place->second]);
    places_.erase(place);
    return endpoint;
  }
  // Those that are left, in the order in which they were added.
  std::deque<Endpoint> TakeRest() {
    std::deque<Endpoint> rest;
    for (Endpoint& endpoint : endpoints_)
      if (places_.contains(endpoint.uid)) rest.push_back(std::move(endpoint));
    return rest;
  }

 private:
  std::vector<Endpoint> endpoints_;
  std::map<std::string, size_t, std::less<>> places_;  // of those that are left, by uid
};
// By the canonical form of their ports.
using Groups = std::map<std::string, Group>;

struct Slice {
  state::ObjectPtr existing;  // null: to be created
  std::string ports;
  std::vector<Endpoint> endpoints;
  bool changed = false;
  size_t room() const { return kMaxEndpointsPerSlice - endpoints.size(); }
};

bool HasEndpoint(const state::Object& pod) {
  const std::string_view address = pod["status"]["podIP"].AsString();
  return !HasEnded(pod) && !address.empty() && manifests::WhySpecial(address).empty();
}

// Whether a pod's change can change a slice: most are about other things.
bool SameEndpoint(const state::Object& a, const state::Object& b) {
  return HasEndpoint(a) == HasEndpoint(b) && IsReady(a) == IsReady(b) &&
         a.Deleting() == b.Deleting() && a.Uid() == b.Uid() && a.Labels() == b.Labels() &&
         a["spec"] == b["spec"] && a["status"]["podIP"] == b["status"]["podIP"];
}

// 0 if the pod has no such port.
int64_t PortNumber(const state::Object& pod, base::Value service_port) {
  const base::Value target = service_port["targetPort"];
  if (!target.IsString()) return target.AsInt(service_port["port"].AsInt());
  // A sidecar is an init container that goes on running: its ports count too.
  for (const char* list : {"containers", "initContainers"}) {
    for (base::Value container : pod["spec"][list].Elements()) {
      if (std::string_view(list) == "initContainers" &&
          container["restartPolicy"].AsString() != "Always")
        continue;
      for (base::Value port : container["ports"].Elements()) {
        if (port["name"] == target &&
            port["protocol"].AsString("TCP") == service_port["protocol"].AsString("TCP"))
          return port["containerPort"].AsInt();
      }
    }
  }
  return 0;
}

base::Json PortsOf(const state::Object& service, const state::Object& pod) {
  base::Json ports = base::Json::MakeArray();
  for (base::Value service_port : service["spec"]["ports"].Elements()) {
    const int64_t number = PortNumber(pod, service_port);
    if (number == 0) continue;
    base::Json port =
        base::Json::MakeObject({{"name", service_port["name"].AsString()},
                                {"protocol", service_port["protocol"].AsString("TCP")},
                                {"port", number}});
    if (service_port["appProtocol"].IsString())
      port.Set("appProtocol", service_port["appProtocol"].AsString());
    ports.Append(std::move(port));
  }
  return ports;
}

base::Json EndpointOf(const state::Object& service, const state::Object& pod) {
  const bool serving = IsReady(pod);
  const bool publish = service["spec"]["publishNotReadyAddresses"].AsBool();
  base::Json endpoint = base::Json::MakeObject(
      {{"addresses", base::Json::MakeArray({pod["status"]["podIP"].AsString()})},
       {"conditions", base::Json::MakeObject({{"ready", publish || (serving && !pod.Deleting())},
                                              {"serving", serving},
                                              {"terminating", pod.Deleting()}})},
       {"targetRef", base::Json::MakeObject({{"kind", "Pod"},
                                             {"namespace", pod.key.ns},
                                             {"name", pod.key.name},
                                             {"uid", pod.Uid()}})}});
  const base::Value spec = pod["spec"];
  if (!spec["nodeName"].AsString().empty()) endpoint.Set("nodeName", spec["nodeName"].AsString());
  if (!spec["hostname"].AsString().empty() && spec["subdomain"].AsString() == service.key.name)
    endpoint.Set("hostname", spec["hostname"].AsString());
  return endpoint;
}

Groups WantedGroups(const state::View& view, const state::Object& service) {
  Groups groups;
  const bool headless = service["spec"]["clusterIP"].AsString() == "None";
  for (const state::ObjectPtr& pod :
       state::CarriersOf(view, "pods", service.key.ns, service["spec"]["selector"])) {
    if (!HasEndpoint(*pod)) continue;
    const base::Json ports = PortsOf(service, *pod);
    // An endpoint without a port is of use to DNS alone.
    if (ports.empty() && !headless) continue;
    groups[ports.ToString()].Add(Endpoint{std::string(pod->Uid()), EndpointOf(service, *pod)});
  }
  return groups;
}

// The slice with those of its endpoints that are still wanted; they leave `groups`.
Slice KeepWanted(const state::ObjectPtr& existing, Groups& groups) {
  const base::Value ports = existing->document["ports"];  // none are stored as nothing
  Slice slice{existing, ports.IsNull() ? "[]" : ports.ToJson().ToString(), {}, false};
  const auto group = groups.find(slice.ports);
  for (base::Value before : existing->document["endpoints"].Elements()) {
    std::optional<Endpoint> now;
    if (group != groups.end()) now = group->second.Take(before["targetRef"]["uid"].AsString());
    slice.changed = slice.changed || !now || now->json.ToString() != before.Bytes();
    if (now) slice.endpoints.push_back(*std::move(now));
  }
  return slice;
}

// Moves the first of `from` to `slice`, as many as fit.
void Fill(Slice& slice, std::deque<Endpoint>& from) {
  const auto end = from.begin() + static_cast<ptrdiff_t>(std::min(slice.room(), from.size()));
  if (end == from.begin()) return;
  slice.changed = true;
  std::move(from.begin(), end, std::back_inserter(slice.endpoints));
  from.erase(from.begin(), end);
}

// A slice for `ports`: one that ran empty, or a new one.
Slice& TakeEmpty(std::vector<Slice>& slices, const std::string& ports) {
  for (Slice& slice : slices) {
    if (!slice.endpoints.empty()) continue;
    slice.changed = slice.changed || slice.ports != ports;
    slice.ports = ports;
    return slice;
  }
  slices.push_back(Slice{nullptr, ports, {}, true});
  return slices.back();
}

// Distributes the endpoints over slices. Of the result, those without endpoints are to go.
std::vector<Slice> PlanSlices(const std::vector<state::ObjectPtr>& existing, Groups groups) {
  std::vector<Slice> slices;
  for (const state::ObjectPtr& slice : existing) slices.push_back(KeepWanted(slice, groups));
  for (auto& [ports, group] : groups) {
    std::deque<Endpoint> rest = group.TakeRest();
    std::vector<Slice*> with_room;
    for (Slice& slice : slices) {
      if (slice.ports == ports && !slice.endpoints.empty()) with_room.push_back(&slice);
    }
    std::stable_sort(with_room.begin(), with_room.end(), [](const Slice* a, const Slice* b) {
      return std::pair(!a->changed, a->room()) < std::pair(!b->changed, b->room());
    });
    for (Slice* slice : with_room) Fill(*slice, rest);
    while (!rest.empty()) Fill(TakeEmpty(slices, ports), rest);
  }
  return slices;
}

base::Json LabelsOf(const state::Object& service) {
  base::Json labels = service.Labels().ToJson();
  labels.Set(kServiceLabel, service.key.name);
  labels.Set(kManagedByLabel, kManager);
  labels.Remove(kHeadlessLabel);
  if (service["spec"]["clusterIP"].AsString() == "None") labels.Set(kHeadlessLabel, "");
  return labels;
}

base::Json JsonOf(const std::string& text) {
  const auto parsed = base::Document::Parse(text);
  CHECK(parsed.ok());  // it is our own canonical form
  return parsed->ToJson();
}

class EndpointSliceController final : public Controller {
 public:
  std::string_view name() const override { return "endpointslice"; }

  void Affects(const state::Change& change, const state::View& view,
               const Enqueue& enqueue) const override {
    const state::Key& key = change.key();
    if (key.resource == "services") return enqueue(key);
    if (key.resource == kSlices) {
      for (const state::ObjectPtr& slice : {change.object, change.previous}) {
        if (slice == nullptr || slice->Labels()[kManagedByLabel].AsString() != kManager) continue;
        enqueue(
            state::Key{"services", key.ns, std::string(slice->Labels()[kServiceLabel].AsString())});
      }
      return;
    }
    if (key.resource != "pods") return;
    if (change.previous && !change.removed && SameEndpoint(*change.object, *change.previous))
      return;
    for (const state::ObjectPtr& pod : {change.object, change.previous}) {
      if (pod == nullptr) continue;
      for (const state::ObjectPtr& service :
           state::SelectorsOf(view, "services", key.ns, pod->Labels()))
        enqueue(service->key);
    }
  }

  base::Status Reconcile(Turn& turn, const state::Key& key) const override {
    const state::ObjectPtr service = turn.view().Get(key);
    std::vector<state::ObjectPtr> slices, stale;
    const base::Document ours(
        base::Json::MakeObject({{kManagedByLabel, kManager}, {kServiceLabel, key.name}}));
    for (const state::ObjectPtr& slice :
         state::CarriersOf(turn.view(), kSlices, key.ns, ours.root())) {
      if (slice->Deleting()) continue;
      const bool owned = service != nullptr && slice->IsControlledBy(service->Uid());
      (owned ? slices : stale).push_back(slice);
    }
    if (service != nullptr && (*service)["spec"]["type"].AsString() == "ExternalName") {
      stale.insert(stale.end(), slices.begin(), slices.end());
    } else if (service != nullptr && !(*service)["spec"]["selector"].empty()) {
      RETURN_IF_ERROR(WriteSlices(turn, *service, slices));
    }
    for (const state::ObjectPtr& slice : stale)
      RETURN_IF_ERROR(turn.draft().Delete(slice->key, state::DeleteOptions()).status());
    return base::Status();
  }

 private:
  static base::Status WriteSlices(Turn& turn, const state::Object& service,
                                  const std::vector<state::ObjectPtr>& existing) {
    Groups groups = WantedGroups(turn.view(), service);
    const bool none = groups.empty();
    std::vector<Slice> slices = PlanSlices(existing, std::move(groups));
    if (none) TakeEmpty(slices, "[]");
    bool keep_empty = none;
    const base::Json labels = LabelsOf(service);
    for (const Slice& slice : slices) {
      if (slice.endpoints.empty() && !keep_empty) {
        RETURN_IF_ERROR(turn.draft().Delete(slice.existing->key, state::DeleteOptions()).status());
        continue;
      }
      if (slice.endpoints.empty()) keep_empty = false;
      RETURN_IF_ERROR(WriteSlice(turn, service, labels, slice));
    }
    return base::Status();
  }

  static base::Status WriteSlice(Turn& turn, const state::Object& service, const base::Json& labels,
                                 const Slice& slice) {
    const bool relabelled = slice.existing && slice.existing->Labels().Bytes() != labels.ToString();
    if (slice.existing && !slice.changed && !relabelled) return base::Status();
    base::Json object =
        slice.existing ? slice.existing->document.ToJson() : NewSlice(turn.view(), service);
    object["metadata"].Set("labels", labels);
    object.Set("ports", JsonOf(slice.ports));
    base::Json endpoints = base::Json::MakeArray();
    for (const Endpoint& endpoint : slice.endpoints) endpoints.Append(endpoint.json);
    object.Set("endpoints", std::move(endpoints));
    if (slice.existing) return turn.draft().Update(std::move(object)).status();
    return turn.draft().Create(std::move(object)).status();
  }

  static base::Json NewSlice(const state::View& view, const state::Object& service) {
    std::string name;
    for (int attempt = 0; name.empty() || view.Get(kSlices, service.key.ns, name); ++attempt) {
      const std::string content = std::string(service.Uid()) + '\n' + std::to_string(attempt);
      name = service.key.name + "-" + NameHash(content, kNameHashLength);
    }
    return base::Json::MakeObject(
        {{"apiVersion", "discovery.k8s.io/v1"},
         {"kind", "EndpointSlice"},
         {"metadata",
          base::Json::MakeObject(
              {{"name", name},
               {"namespace", service.key.ns},
               {"ownerReferences", base::Json::MakeArray({ControllerReference(service)})}})},
         {"addressType", "IPv4"}});
  }
};

}  // namespace

std::unique_ptr<Controller> NewEndpointSliceController(const ControllerSettings&) {
  return std::make_unique<EndpointSliceController>();
}

}  // namespace reconciler

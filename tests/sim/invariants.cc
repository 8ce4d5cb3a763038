#include "tests/sim/invariants.h"

#include <algorithm>
#include <set>

#include "base/hash.h"
#include "gitsync/plan/repository.h"
#include "nodeagent/pods/container_config.h"
#include "nodeagent/pods/pod_plan.h"
#include "reconciler/pods.h"
#include "scheduler/cluster_table.h"
#include "tests/sim/manifest_text.h"

namespace tests {
namespace {

// What an agent asked for may still happen so long after it ended.
constexpr base::Duration kCallUnderWay = base::Duration::Seconds(1);

bool InInventory(const state::View& view, const manifests::Schema& schema, const std::string& owner,
                 const state::Key& key) {
  return gitsync::ReadInventory(view, schema, owner).keys->contains(key);
}

}  // namespace

Invariants::Invariants(World& world, SimServer& server, const Nodes& nodes)
    : world_(world), server_(server), nodes_(nodes) {}

void Invariants::Opened(state::Store& store) {
  store_ = &store;
  const state::View& view = store.view();
  if (!views_.empty()) CheckReopened(view);
  views_ = {view};
  acknowledged_ = last_revision_ = view.revision();
  for (auto& [resource, events] : history_) {
    while (!events.empty() && events.back().revision > last_revision_) events.pop_back();
  }
  // A binding or a deletion that was lost was never told to anybody: it may come out differently.
  bound_.clear();
  std::erase_if(deleted_, [&](const auto& entry) {
    for (const state::ObjectPtr& pod : view.List("pods")) {
      if (pod->Uid() == entry.first) return !pod->Deleting();
    }
    return false;
  });
  for (const state::ObjectPtr& pod : view.List("pods")) {
    const std::string_view node = (*pod)["spec"]["nodeName"].AsString();
    if (!node.empty()) bound_.emplace(pod->Uid(), node);
  }
  store_commits_ = store.OnCommit([this](const state::Change& change) { Observe(change); });
  store_syncs_ = store.OnDurable([this] {
    acknowledged_ = store_->durable();
    while (views_.size() > 1 && views_[1].revision() <= acknowledged_) views_.pop_front();
  });
}

void Invariants::CheckReopened(const state::View& view) {
  if (view.revision() < acknowledged_) {
    return world_.Fail("revision " + std::to_string(acknowledged_) +
                       " was acknowledged, but a restart found only " +
                       std::to_string(view.revision()));
  }
  const auto before = std::find_if(views_.begin(), views_.end(), [&](const state::View& each) {
    return each.revision() == view.revision();
  });
  if (before == views_.end()) {
    return world_.Fail("a restart found revision " + std::to_string(view.revision()) +
                       ", which is no end of a transaction");
  }
  std::string differs;
  before->ForEach([&](const state::ObjectPtr& object) {
    const state::ObjectPtr now = view.Get(object->key);
    if (now == nullptr || now->revision != object->revision || now->document != object->document) {
      differs = object->key.ToString();
    }
  });
  if (before->size() != view.size() || !differs.empty()) {
    world_.Fail("the log reads back as other objects than there were at revision " +
                std::to_string(view.revision()) + ": " + differs);
  }
}

void Invariants::Observe(const state::Change& change) {
  if (change.revision != last_revision_ + 1) {
    world_.Fail("revision " + std::to_string(change.revision) + " follows " +
                std::to_string(last_revision_));
  }
  last_revision_ = change.revision;
  ++commits_;
  const state::Key& key = change.key();
  const std::string_view bytes = change.object->document.Bytes();
  world_.Trace(std::to_string(change.revision) + (change.removed ? " removed " : " ") +
               key.ToString() + (world_.verbose > 1 ? " " + std::string(bytes) : ""));
  world_.trace ^= base::Crc32c(bytes);
  if (bytes.find(kForbidden) != std::string_view::npos) {
    world_.Fail("something of a refused push was stored: " + key.ToString());
  }
  history_[key.resource].push_back({change.revision, key, change.removed});
  if (key.resource == "pods") ObservePod(change);
  const bool deletion_begins = change.previous != nullptr && !change.previous->Deleting() &&
                               (change.removed || change.object->Deleting());
  if (deletion_begins) ObserveDeletion(change);
  if (on_commit_) on_commit_(change);
  if (views_.back().revision() != store_->view().revision()) views_.push_back(store_->view());
}

void Invariants::ObservePod(const state::Change& change) {
  const std::string uid(change.object->Uid());
  const bool ends = change.removed || change.object->Deleting();
  if (ends && change.previous != nullptr && !change.previous->Deleting() &&
      reconciler::IsReady(*change.previous)) {
    deleted_.emplace(uid, world_.loop.now().monotonic);
  }
  const std::string node((*change.object)["spec"]["nodeName"].AsString());
  if (node.empty()) return;
  const auto [it, first] = bound_.try_emplace(uid, node);
  if (it->second != node) {
    world_.Fail(change.key().ToString() + " was bound to " + it->second + " and then to " + node);
  }
  if (first) CheckCapacity();
}

void Invariants::ObserveDeletion(const state::Change& change) {
  const state::Key& key = change.key();
  if (server_.asking()) return;
  const std::string owner(change.previous->Labels()[gitsync::kOwnerLabel].AsString());
  const bool hand_made = key.name.starts_with(kHandMade);
  if ((owner.empty() && !hand_made) || key.resource == "pods") return;
  const state::View& after = store_->view();
  const state::ObjectPtr ns = after.Get("namespaces", "", key.ns);
  if (!key.ns.empty() && (ns == nullptr || ns->Deleting())) return;
  if (change.previous->Meta("ownerReferences").size() > 0) return;
  // Before the first change of this transaction.
  const state::View& before =
      views_.back().revision() == after.revision() ? views_[views_.size() - 2] : views_.back();
  if (key.name.starts_with(kSidePrefix)) {
    world_.Fail(key.ToString() + " was deleted, though it only moved to another application");
  }
  if (hand_made || !InInventory(before, *world_.schema, owner, key)) {
    world_.Fail(key.ToString() + " was deleted, but nobody's inventory has it");
  } else if (InInventory(after, *world_.schema, owner, key)) {
    world_.Fail(key.ToString() + " was deleted, but repository " + owner + " still deploys it");
  }
}

void Invariants::CheckCapacity() {
  const scheduler::ClusterTable table(store_->view());
  for (const auto& [name, node] : table.nodes()) {
    if (node.cpu_used > node.cpu_total) {
      world_.Fail(name + " has " + std::to_string(node.cpu_used) + "m of cpu taken, of " +
                  std::to_string(node.cpu_total) + "m");
    }
  }
}

// The nodes.

void Invariants::EndOfTurn() {
  const base::MonotonicTime now = world_.loop.now().monotonic;
  for (const auto& node : nodes_) {
    if (node->knows()) knew_[node->name()] = now;
    if (!server_.up()) continue;
    if (!server_.hub().IsLive(node->name())) {
      live_since_.erase(node->name());
    } else {
      live_since_.emplace(node->name(), now);
    }
  }
}

void Invariants::WatchContainers(SimNode& node) {
  using Moment = nodeagent::FakeRuntime::Moment;
  node.runtime().Watch([this, &node](const nodeagent::ContainerState& container, Moment moment) {
    world_.Trace((moment == Moment::kStarted ? "start " : "stop ") + container.id + " on " +
                 node.name());
    moment == Moment::kStarted ? Started(node, container) : ToldToStop(node, container);
  });
}

void Invariants::Started(const SimNode& node, const nodeagent::ContainerState& container) {
  ++starts_;
  const std::string& uid = container.labels.at(nodeagent::kPodUidLabel);
  const auto [ran, first] = running_.try_emplace(uid, node.name());
  if (ran->second != node.name()) {
    world_.Fail("pod " + uid + " was started on " + ran->second + " and on " + node.name());
  }
  const auto bound = bound_.find(uid);
  if (bound != bound_.end() && bound->second != node.name()) {
    world_.Fail("pod " + uid + " runs on " + node.name() + ", and is bound to " + bound->second);
  }
}

// Whether the node's rules send connections to `ip` though they know an endpoint that stays. (A
// service without one sends them to what still serves: KEP-1669.)
bool Invariants::Chosen(const SimNode& node, servicemesh::Ipv4 ip) const {
  std::set<std::string> staying;
  for (const state::ObjectPtr& pod : views_.back().List("pods")) {
    if (!pod->Deleting()) staying.emplace((*pod)["status"]["podIP"].AsString());
  }
  std::set<servicemesh::Frontend> chosen, others;
  for (const servicemesh::Element& element : node.dataplane().Programmed().elements) {
    if (element.map != servicemesh::MapId::kEndpoints) continue;
    if (element.target.ip == ip) {
      chosen.insert(element.at);
    } else if (staying.contains(element.target.ip.ToString())) {
      others.insert(element.at);
    }
  }
  return std::any_of(chosen.begin(), chosen.end(),
                     [&](const servicemesh::Frontend& at) { return others.contains(at); });
}

void Invariants::ToldToStop(const SimNode& node, const nodeagent::ContainerState& container) {
  ++stops_;
  const base::MonotonicTime now = world_.loop.now().monotonic;
  const auto knew = knew_.find(node.name());
  if (knew == knew_.end() || now - knew->second > kCallUnderWay) {
    world_.Fail(node.name() + " knows nothing, and stops " + container.id);
  }
  const auto deleted = deleted_.find(container.labels.at(nodeagent::kPodUidLabel));
  const auto grace = container.annotations.find(nodeagent::kGraceAnnotation);
  const base::Duration limit = nodeagent::DrainLimit(
      base::Duration::Seconds(grace == container.annotations.end() ? nodeagent::kDefaultGraceSeconds
                                                                   : std::stoll(grace->second)));
  if (deleted == deleted_.end() || now - deleted->second >= limit) return;
  std::string ip;
  for (const nodeagent::SandboxState& sandbox : node.runtime().Now().sandboxes) {
    if (sandbox.id == container.sandbox_id) ip = sandbox.ip;
  }
  const auto address = servicemesh::Ipv4::Parse(ip);
  if (!address) return;
  for (const auto& other : nodes_) {
    const auto live = live_since_.find(other->name());
    if (live == live_since_.end() || live->second >= deleted->second) continue;
    if (Chosen(*other, *address)) {
      world_.Fail(container.id + " of " + node.name() + " was told to stop while " + other->name() +
                  " still sends connections to " + ip);
    }
  }
}

}  // namespace tests

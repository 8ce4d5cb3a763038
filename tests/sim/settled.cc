#include "tests/sim/settled.h"

#include <map>
#include <set>

#include "gitsync/deploy/health.h"
#include "gitsync/plan/plan.h"
#include "gitsync/render/read_set.h"
#include "gitsync/report/status_branch.h"
#include "gitsync/report/webhook_event.h"
#include "reconciler/pods.h"
#include "scheduler/daemon_fit.h"

namespace tests {
namespace {

constexpr char kSecondOf[] = "shop";  // which repository has two applications

std::vector<gitsync::Application> ApplicationsOf(SimServer& server, const std::string& source) {
  std::vector<gitsync::Application> applications;
  for (const std::string& name : gitsync::ApplicationNames(server.view())) {
    const auto state = gitsync::ReadApplication(server.view(), name);
    if (state.ok() && state->settings.source == source) applications.push_back(*state);
  }
  return applications;
}

std::string RecordOf(World& world, SimServer& server, const GitUser& user) {
  const std::string& source = user.repository();
  const std::string commit = user.head_commit();
  const auto applications = ApplicationsOf(server, source);
  if (applications.size() != (source == kSecondOf ? 2 : 1)) {
    return "repository " + source + " has " + std::to_string(applications.size()) + " applications";
  }
  for (const gitsync::Application& application : applications) {
    const std::string where = "application " + application.name + ": ";
    if (application.applied_commit != commit) {
      return where + "applied is " + application.applied_commit + ", the head " + commit;
    }
    const state::ObjectPtr record = server.view().Get(gitsync::KustomizationKey(application.name));
    if (!reconciler::ConditionIs((*record)["status"], "Ready", "True")) {
      return where + "Ready is not True: " + std::string((*record)["status"]["conditions"].Bytes());
    }
    gitsync::Deploy deploy{.repository = source, .application = application.name};
    const auto note = world.git.ReadNote(source, gitsync::NotesRef(deploy), commit);
    if (!note.ok()) return where + "no note says how the head ended";
  }
  if (!server.receiver().Heard(commit)) {
    return "repository " + source + ": nobody was told how the head ended";
  }
  if (user.waiting() > 0) {
    return "repository " + source + ": somebody still waits for the end of a push";
  }
  return "";
}

// Plans one of them anew.
std::string ContentOf(World& world, SimServer& server, gitsync::Application application,
                      const gitsync::SourceSets& sets) {
  const std::string where = "application " + application.name + ": ";
  application.inventory = gitsync::ReadInventory(server.view(), *world.schema, application.name);
  const gitsync::ManifestSet& set = *sets.sets.at(application.name);
  const gitsync::SyncPlan plan =
      gitsync::PlanSync(server.view(), application, set, gitsync::PushOptions(),
                        {&world.config, world.loop.now().wall, 1}, sets);
  if (!plan.errors.empty()) return where + plan.errors[0].ToString();
  for (const gitsync::ObjectResult& result : plan.results) {
    if (result.action == gitsync::Action::kUnchanged) continue;
    return where + result.key.ToString() + " is not as its manifest asks (" + result.note + ")";
  }
  for (const gitsync::Manifest& manifest : set.manifests) {
    const state::ObjectPtr object = server.view().Get(manifest.key);
    const gitsync::Health health = gitsync::HealthOf(*object, server.view());
    if (health.level != gitsync::Health::Level::kHealthy) {
      return where + manifest.key.ToString() + ": " + health.reason;
    }
  }
  return "";
}

// Reads and plans the head anew: dear, so it comes last.
std::string ContentOf(World& world, SimServer& server, const GitUser& user) {
  const auto applications = ApplicationsOf(server, user.repository());
  gitsync::Parts parts;
  for (const gitsync::Application& each : applications) {
    parts.parts.push_back({each.name, each.settings.path, each.settings.scope});
  }
  gitsync::SourceReader reader(world.git, user.repository());
  const auto sets = reader.Read(user.head_commit(), {}, parts, world.schema);
  if (!sets.ok()) return "repository " + user.repository() + ": " + sets.status().ToString();
  for (const gitsync::Application& each : applications) {
    if (std::string missing = ContentOf(world, server, each, **sets); !missing.empty()) {
      return missing;
    }
  }
  return "";
}

std::string PodsOf(SimServer& server, const SimNode& node) {
  if (!node.Idle()) return node.name() + " is not idle";
  std::set<std::string> there;
  for (const nodeagent::SandboxState& sandbox : node.runtime().Now().sandboxes) {
    if (sandbox.ready) there.insert(sandbox.pod_uid);
  }
  std::set<std::string> bound;
  for (const state::ObjectPtr& pod : server.view().Lookup(state::Index::kNode, node.name())) {
    if (pod->Deleting()) return pod->key.ToString() + " is still being deleted";
    if (!reconciler::IsReady(*pod)) return pod->key.ToString() + " is not ready";
    bound.insert(std::string(pod->Uid()));
  }
  if (there == bound) return "";
  return node.name() + " runs " + std::to_string(there.size()) + " pods, and " +
         std::to_string(bound.size()) + " are bound to it";
}

std::string DaemonsOf(SimServer& server) {
  const state::View& view = server.view();
  for (const state::ObjectPtr& set : view.List("daemonsets.apps")) {
    std::map<std::string, int> pods;
    for (const state::ObjectPtr& pod : view.Lookup(state::Index::kOwner, set->Uid())) {
      if (pod->key.resource == "pods") ++pods[std::string((*pod)["spec"]["nodeName"].AsString())];
    }
    for (const state::ObjectPtr& node : view.List("nodes")) {
      const bool fits = scheduler::FitsDaemon((*set)["spec"]["template"]["spec"], *node).should_run;
      if (pods[node->key.name] != (fits ? 1 : 0)) {
        return set->key.ToString() + " has " + std::to_string(pods[node->key.name]) + " pods on " +
               node->key.name;
      }
      pods.erase(node->key.name);
    }
    if (!pods.empty()) return set->key.ToString() + " has pods on " + pods.begin()->first;
  }
  return "";
}

std::string RulesOf(SimServer& server, const SimNode& node) {
  using Ends = std::map<std::string, std::set<std::string>>;  // pod addresses by service address
  Ends wanted, there;
  for (const state::ObjectPtr& service : server.view().List("services")) {
    const base::Value selector = (*service)["spec"]["selector"];
    if (!selector.Exists()) continue;
    std::set<std::string>& ends = wanted[std::string((*service)["spec"]["clusterIP"].AsString())];
    for (const state::ObjectPtr& pod : server.view().List("pods", service->key.ns)) {
      if (pod->Labels()["app"] != selector["app"] || !reconciler::IsReady(*pod)) continue;
      ends.insert(std::string((*pod)["status"]["podIP"].AsString()));
    }
    if (ends.empty()) wanted.erase(std::string((*service)["spec"]["clusterIP"].AsString()));
  }
  for (const servicemesh::Element& element : node.dataplane().Programmed().elements) {
    if (element.map == servicemesh::MapId::kEndpoints) {
      there[element.at.ip.ToString()].insert(element.target.ip.ToString());
    }
  }
  if (there == wanted) return "";
  return "the rules of " + node.name() + " are not those of the services";
}

// Every service that has an address of its own is found by its name.
std::string NamesOf(SimServer& server, const SimNode& node) {
  if (node.dns() == nullptr) return node.name() + " answers no names";
  for (const state::ObjectPtr& service : server.view().List("services")) {
    const std::string_view address = (*service)["spec"]["clusterIP"].AsString();
    if (address.empty() || address == "None") continue;
    servicemesh::DnsQuestion question;
    question.name = service->key.name + "." + service->key.ns + ".svc.cluster.local";
    question.type = servicemesh::DnsType::kA;
    const servicemesh::DnsResolution found = Resolve(*node.dns(), question, 0);
    std::string answer;
    for (const servicemesh::DnsRecord& record : found.answer.answers) {
      answer += record.ip.ToString();
    }
    if (answer != address) {
      return node.name() + " finds " + answer + " for " + question.name + ", not " +
             std::string(address);
    }
  }
  return "";
}

// The pods of every other node have a way to them.
std::string RoutesOf(SimServer& server, const SimNode& node) {
  std::set<std::string> there;
  for (const servicemesh::Route& route : node.routes().routes) there.insert(route.to.ToString());
  for (const state::ObjectPtr& other : server.view().List("nodes")) {
    const std::string range((*other)["spec"]["podCIDR"].AsString());
    if (other->key.name != node.name() && !there.contains(range)) {
      return node.name() + " has no route to the pods of " + other->key.name;
    }
  }
  return "";
}

std::string DeliveriesOf(SimServer& server) {
  for (const state::ObjectPtr& delivery : server.view().List(gitsync::kDeliveries)) {
    const std::string_view phase = (*delivery)["status"]["phase"].AsString();
    if (phase != "Delivered") return delivery->key.ToString() + " is " + std::string(phase);
  }
  return "";
}

}  // namespace

std::string WhatIsMissing(World& world, SimServer& server,
                          const std::vector<std::unique_ptr<SimNode>>& nodes, Users& users,
                          const std::vector<std::unique_ptr<Watcher>>& watchers) {
  if (!server.up()) return "the server is down";
  if (!users.satisfied()) return "a last push was not accepted yet";
  for (const auto& user : users.git()) {
    if (std::string missing = RecordOf(world, server, *user); !missing.empty()) return missing;
  }
  if (!server.Idle()) return "the sync engine is not idle";
  if (std::string missing = DeliveriesOf(server); !missing.empty()) return missing;
  for (const std::string& name : users.hand_made()) {
    if (server.view().Get("configmaps", "default", name) == nullptr) {
      return name + ", made by hand, is gone";
    }
  }
  for (const auto& node : nodes) {
    const state::ObjectPtr object = server.view().Get("nodes", "", node->name());
    if (object == nullptr || !reconciler::ConditionIs((*object)["status"], "Ready", "True")) {
      return node->name() + " is not ready";
    }
    if (std::string missing = PodsOf(server, *node); !missing.empty()) return missing;
    if (std::string missing = RulesOf(server, *node); !missing.empty()) return missing;
    if (std::string missing = NamesOf(server, *node); !missing.empty()) return missing;
    if (std::string missing = RoutesOf(server, *node); !missing.empty()) return missing;
  }
  if (std::string missing = DaemonsOf(server); !missing.empty()) return missing;
  for (const auto& watcher : watchers) {
    if (std::string missing = watcher->Missing(); !missing.empty()) return missing;
  }
  for (const auto& user : users.git()) {
    if (std::string missing = ContentOf(world, server, *user); !missing.empty()) return missing;
  }
  return "";
}

}  // namespace tests

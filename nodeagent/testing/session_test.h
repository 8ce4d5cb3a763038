// SessionTest: a control plane's hub and agents that talk with it over a SimNetwork, on virtual
// time.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "nodeagent/hub/hub.h"
#include "nodeagent/session/agent_session.h"
#include "nodeagent/testing/memory_view_cache.h"
#include "nodeagent/testing/sim_network.h"
#include "state/testing/test_cluster.h"

namespace nodeagent {

inline constexpr base::Duration kLong = base::Duration::Minutes(3);

inline std::string Pod(const std::string& name, const std::string& config) {
  return "apiVersion: v1\nkind: Pod\nmetadata: {name: " + name +
         "}\nspec: {containers: [{name: c, image: x, envFrom: [{configMapRef: {name: " + config +
         "}}]}]}\n";
}
inline std::string Config(const std::string& name, const std::string& value) {
  return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name + "}\ndata: {k: \"" + value +
         "\"}\n";
}
inline std::string Service(const std::string& name, const std::string& label = "a") {
  return "apiVersion: v1\nkind: Service\nmetadata: {name: " + name + ", labels: {v: " + label +
         "}}\nspec: {clusterIP: None, ports: [{port: 80}]}\n";
}
inline base::Json Status(const std::string& phase) {
  return base::Json::MakeObject({{"phase", phase}});
}

// An agent that can be ended and started again.
struct Agent {
  std::shared_ptr<MemoryViewCache> cache = std::make_shared<MemoryViewCache>();
  std::unique_ptr<FrameDialer> dialer;
  std::unique_ptr<AgentSession> session;
};

class SessionTest : public testing::Test {
 protected:
  explicit SessionTest(uint64_t seed = 1, size_t log_window = state::StoreOptions().log_window)
      : cluster_(seed, manifests::Schema::BuiltIn(), log_window), network_(cluster_.loop, seed) {
    cluster_.AddNode("n1");
    cluster_.AddNode("n2");
    StartServer();
    network_.OnArrival([this](const std::string& node, bool at_node, const Frame& frame) {
      const Objects* objects = std::get_if<Objects>(&frame);
      if (!at_node || node != "n1" || objects == nullptr) return;
      ++chunks_;
      largest_chunk_ = std::max(largest_chunk_, SizeOf(frame));
      resets_ += objects->reset;
      for (const state::ObjectPtr& object : objects->puts) Say(object->key.ToString());
      for (const state::Key& key : objects->removals) Say("-" + key.ToString());
    });
  }
  void Say(const std::string& word) { told_ += (told_.empty() ? "" : ", ") + word; }
  std::string Told() { return std::exchange(told_, ""); }

  void StartServer() {
    HubOptions options;
    options.epoch = "e1";
    hub_ = std::make_unique<Hub>(cluster_.loop, cluster_.store(), cluster_.Context(), options);
    network_.Listen([this](std::unique_ptr<FrameChannel> c) { hub_->Accept(std::move(c)); });
  }
  void StopServer() {
    network_.StopListening();
    hub_.reset();
  }
  AgentSession& StartAgent(const std::string& node) {
    Agent& agent = agents_[node];
    agent.dialer = network_.Dialer(node);
    agent.session = std::make_unique<AgentSession>(cluster_.loop, *agent.dialer, agent.cache,
                                                   AgentOptions{node, "test", 7});
    agent.session->Start();
    return *agent.session;
  }
  void StopAgent(const std::string& node) { agents_[node].session.reset(); }

  // What an agent holds, and what it should hold: "key@revision" of each. Of Nodes only what moves
  // routes has to be the newest.
  static std::string VersionOf(const state::Object& object) {
    if (object.key.resource != "nodes") return std::to_string(object.revision);
    return std::string(object["spec"]["podCIDR"].AsString()) +
           std::string(object["status"]["addresses"].Bytes());
  }
  static std::string Held(const AgentSession& agent) {
    std::string text;
    agent.view().ForEach([&](const state::ObjectPtr& object) {
      text += object->key.ToString() + "@" + VersionOf(*object) + "\n";
    });
    return text;
  }
  std::string Needed(const std::string& node) const {
    const state::View& view = cluster_.store().view();
    std::set<state::Key> keys;
    view.ForEach([&](const state::ObjectPtr& object) {
      if (IsForAll(object->key.resource) || object->key.resource == "nodes")
        keys.insert(object->key);
      if (object->key.resource != "pods") return;
      if ((*object)["spec"]["nodeName"].AsString() != node) return;
      keys.insert(object->key);
      for (const state::Key& key : References(*object)) keys.insert(key);
    });
    std::string text;
    for (const state::Key& key : keys) {
      const state::ObjectPtr object = view.Get(key);
      if (object) text += key.ToString() + "@" + VersionOf(*object) + "\n";
    }
    return text;
  }
  static size_t ServicesOf(const AgentSession& agent) {
    size_t count = 0;
    for ([[maybe_unused]] const state::ObjectPtr& each : agent.view().List("services")) ++count;
    return count;
  }
  // In one transaction.
  void CommitServices(int count, const std::string& prefix = "s") {
    state::Transaction services;
    for (int i = 0; i < count; ++i) {
      const std::string name = prefix + std::to_string(i);
      services.writes.push_back(
          {{"services", "default", name},
           base::Document(base::Json::MakeObject(
               {{"metadata", base::Json::MakeObject({{"name", name}, {"resourceVersion", ""}})},
                {"spec", base::Json::MakeObject({{"note", std::string(400, 'x')}})}})),
           0});
    }
    CHECK(cluster_.store().Commit(std::move(services)).ok());
  }
  std::string Uid(const std::string& pod) const {
    const state::ObjectPtr object = cluster_.Get("pods", "default", pod);
    return object ? std::string(object->Uid()) : "";
  }
  static state::Key PodKey(const std::string& name) { return {"pods", "default", name}; }

  state::TestCluster cluster_;
  SimNetwork network_;
  std::unique_ptr<Hub> hub_;
  std::map<std::string, Agent> agents_;
  std::string told_;
  size_t chunks_ = 0, resets_ = 0, largest_chunk_ = 0;
};

}  // namespace nodeagent

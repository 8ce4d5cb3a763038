// Prober: asks the probes of all pods in their periods, and tells when one has found something.
//
// Loop only. Borrows what it is made of.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/lifeline.h"
#include "base/loop.h"
#include "nodeagent/pods/probe.h"
#include "nodeagent/pods/probe_client.h"
#include "nodeagent/pods/runtime.h"

namespace nodeagent {

// A threshold was reached: as many answers in a row as the probe asks for. Or there is something to
// tell people of.
struct ProbeNews {
  std::string pod_uid;
  std::string container_id;
  std::string container_name;
  ProbeKind kind = ProbeKind::kReadiness;
  bool passed = false;
  bool decides = false;  // a threshold was reached
  std::string message;   // of a failure; of one that passed, a warning or nothing
};

class Prober {
 public:
  using OnNews = std::function<void(const ProbeNews&)>;

  Prober(base::Loop& loop, Runtime& runtime, ProbeClient& client, OnNews on_news);
  ~Prober();

  // The probes of a pod from now on: those it had go on undisturbed, others end. An empty list
  // forgets the pod.
  void Set(const std::string& pod_uid, const std::vector<Probe>& probes);

 private:
  using Key = std::pair<std::string, ProbeKind>;  // container id
  struct Asker {
    uint64_t id = 0;  // tells answers to it from those to an earlier one
    Probe probe;
    base::Loop::TimerId timer = 0;
    int64_t passes = 0, failures = 0;  // in a row
    bool told = false;                 // what it said last: `passed`
    bool passed = false;
    base::MonotonicTime quiet_until;  // people were told
  };

  void Begin(const std::string& pod_uid, const Probe& probe);
  void AskAfter(const std::string& pod_uid, const Key& key, Asker& asker, base::Duration delay);
  void Ask(const std::string& pod_uid, const Key& key);
  void Answered(const std::string& pod_uid, const Key& key, uint64_t id, const CheckAnswer& answer);
  Asker* Find(const std::string& pod_uid, const Key& key);

  base::Loop& loop_;
  Runtime& runtime_;
  ProbeClient& client_;
  const OnNews on_news_;
  std::map<std::string, std::map<Key, Asker>> pods_;
  uint64_t next_id_ = 1;
  base::Lifeline lifeline_;
};

// A probe that goes on failing, or warning, is told of at most this often.
inline constexpr base::Duration kProbeNewsPeriod = base::Duration::Minutes(1);

}  // namespace nodeagent

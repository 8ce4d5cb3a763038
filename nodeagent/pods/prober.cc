// Rules (Kubernetes documentation, "Configure Liveness, Readiness and Startup Probes"):
// - The first question comes when the initial delay since the container's start has passed, the
//   next ones a period after the answer to the one before.
// - News is told when as many answers in a row as the threshold asks for say the same, and it is
//   not what was told before. What ends a container (a failed liveness or startup probe) and what
//   is known for good (a passed startup probe) is told once; nothing is asked after it.
// - A question that could not be put, because the runtime is away, counts for nothing.
// - A failure below the threshold, and a warning, are told for people's sake, once in a while.
#include "nodeagent/pods/prober.h"

#include <algorithm>
#include <set>

#include "nodeagent/pods/check_runner.h"

namespace nodeagent {

Prober::Prober(base::Loop& loop, Runtime& runtime, ProbeClient& client, OnNews on_news)
    : loop_(loop), runtime_(runtime), client_(client), on_news_(std::move(on_news)) {}

Prober::~Prober() {
  for (auto& [uid, askers] : pods_) {
    for (auto& [key, asker] : askers) loop_.Cancel(asker.timer);
  }
}

void Prober::Set(const std::string& pod_uid, const std::vector<Probe>& probes) {
  std::set<Key> wanted;
  for (const Probe& probe : probes) {
    const Key key(probe.container_id, probe.kind);
    wanted.insert(key);
    Asker* asker = Find(pod_uid, key);
    if (asker != nullptr && asker->probe == probe) continue;
    if (asker != nullptr) loop_.Cancel(asker->timer);
    Begin(pod_uid, probe);
  }
  const auto pod = pods_.find(pod_uid);
  if (pod == pods_.end()) return;
  std::erase_if(pod->second, [&](const auto& entry) {
    if (wanted.count(entry.first) != 0) return false;
    loop_.Cancel(entry.second.timer);
    return true;
  });
  if (pod->second.empty()) pods_.erase(pod);
}

void Prober::Begin(const std::string& pod_uid, const Probe& probe) {
  const Key key(probe.container_id, probe.kind);
  Asker& asker = pods_[pod_uid][key];
  asker = Asker();
  asker.id = next_id_++;
  asker.probe = probe;
  const base::Duration runs_for = std::max(base::Duration(), loop_.now().wall - probe.started_at);
  AskAfter(pod_uid, key, asker, std::max(base::Duration(), probe.initial_delay - runs_for));
}

void Prober::AskAfter(const std::string& pod_uid, const Key& key, Asker& asker,
                      base::Duration delay) {
  asker.timer = loop_.After(delay, [this, pod_uid, key] { Ask(pod_uid, key); });
}

void Prober::Ask(const std::string& pod_uid, const Key& key) {
  Asker* asker = Find(pod_uid, key);
  if (asker == nullptr) return;
  asker->timer = 0;
  RunCheck(loop_, runtime_, client_, key.first, asker->probe.check, asker->probe.timeout,
           lifeline_.Wrap([this, pod_uid, key, id = asker->id](const CheckAnswer& answer) {
             Answered(pod_uid, key, id, answer);
           }));
}

void Prober::Answered(const std::string& pod_uid, const Key& key, uint64_t id,
                      const CheckAnswer& answer) {
  const base::Status& status = answer.status;
  Asker* asker = Find(pod_uid, key);
  if (asker == nullptr || asker->id != id) return;
  if (status.code() == base::Code::kUnavailable && asker->probe.check.kind == Check::Kind::kExec) {
    return AskAfter(pod_uid, key, *asker, asker->probe.period);
  }
  const bool passed = status.ok();
  asker->passes = passed ? asker->passes + 1 : 0;
  asker->failures = passed ? 0 : asker->failures + 1;
  const bool enough = passed ? asker->passes >= asker->probe.success_threshold
                             : asker->failures >= asker->probe.failure_threshold;
  const bool news = enough && (!asker->told || asker->passed != passed);
  const ProbeKind kind = key.second;
  const bool last = news && (passed ? kind == ProbeKind::kStartup : kind != ProbeKind::kReadiness);
  if (news) {
    asker->told = true;
    asker->passed = passed;
  }
  if (!last) AskAfter(pod_uid, key, *asker, asker->probe.period);
  const base::MonotonicTime now = loop_.now().monotonic;
  const bool told_of = !passed || !answer.warning.empty();
  if (!news && !(told_of && now >= asker->quiet_until)) return;
  if (told_of) asker->quiet_until = now + kProbeNewsPeriod;
  // A copy: hearing the news may change the probes.
  const ProbeNews told{pod_uid,
                       key.first,
                       asker->probe.container_name,
                       kind,
                       passed,
                       news,
                       passed ? answer.warning : std::string(status.message())};
  on_news_(told);
}

Prober::Asker* Prober::Find(const std::string& pod_uid, const Key& key) {
  const auto pod = pods_.find(pod_uid);
  if (pod == pods_.end()) return nullptr;
  const auto asker = pod->second.find(key);
  return asker == pod->second.end() ? nullptr : &asker->second;
}

}  // namespace nodeagent

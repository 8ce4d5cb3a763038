// Rules:
//   - eventSeverity error hears of failures only; info, the default, of every end;
//   - an event source matches by kind Kustomization, the repository's name or "*", and matchLabels
//     on the Kustomization; its namespace, if given, must be plumb-system, where repositories are;
//   - a Delivery is named after its Alert and the revision of the state before it: no two are
//   alike;
//   - the event's id is that revision and the commit.
#include "gitsync/report/webhook_event.h"

#include <algorithm>
#include <vector>

#include "base/log.h"
#include "gitsync/plan/repository.h"
#include "gitsync/report/notifiers/notifier.h"

namespace gitsync {
namespace {

using base::Json;

bool LabelsMatch(base::Value wanted, base::Value labels) {
  for (const auto& [key, value] : wanted.Members()) {
    if (!labels[key].IsString() || labels[key].AsString() != value.AsString()) return false;
  }
  return true;
}

bool SourceMatches(base::Value source, const state::Object& kustomization) {
  const std::string_view name = source["name"].AsString();
  return source["kind"].AsString() == "Kustomization" &&
         source["namespace"].AsString(kSystemNamespace) == kSystemNamespace &&
         (name == "*" || name == kustomization.key.name) &&
         LabelsMatch(source["matchLabels"], kustomization.Labels());
}

Json Metadata(const state::Object& alert) {
  const base::Value given = alert["spec"]["eventMetadata"];
  Json metadata = Json::MakeObject();
  if (given.Bytes().size() <= kMaxEventMetadataBytes && given.IsObject()) metadata = given.ToJson();
  const std::string_view summary = alert["spec"]["summary"].AsString();
  if (!summary.empty()) metadata.Set("summary", summary);
  return metadata;
}

std::string SourceUrl(const state::View& view, const Deploy& deploy) {
  const state::ObjectPtr source = view.Get(kGitRepositories, kSystemNamespace, deploy.repository);
  if (source == nullptr) return "/repositories/" + deploy.repository;
  return std::string((*source)["spec"]["url"].AsString());
}

bool IsHeld(const state::Object& provider) {
  return provider.Meta("annotations")[kHeldAnnotation].AsString() ==
         std::to_string(provider.Generation());
}

// Removes the oldest until one more has room.
base::Status MakeRoom(state::Draft& draft, const std::string& ns, const std::string& provider) {
  std::vector<state::ObjectPtr> all;
  for (const state::ObjectPtr& delivery : draft.view().List(kDeliveries, ns)) {
    if ((*delivery)["spec"]["provider"].AsString() == provider) all.push_back(delivery);
  }
  if (all.size() < kMaxDeliveries) return base::Status();
  const auto rank = [](const state::ObjectPtr& d) {
    return std::make_tuple(!IsFinished(*d), d->Meta("creationTimestamp").AsString(), d->revision);
  };
  std::sort(all.begin(), all.end(), [&](const state::ObjectPtr& a, const state::ObjectPtr& b) {
    return rank(a) < rank(b);
  });
  for (size_t i = 0; i + kMaxDeliveries <= all.size(); ++i) {
    if (!IsFinished(*all[i])) {
      base::LogWarning("a webhook makes room for newer ones, unsent",
                       {{"delivery", all[i]->key.ToString()}, {"provider", provider}});
    }
    RETURN_IF_ERROR(draft.Delete(all[i]->key, state::DeleteOptions()).status());
  }
  return base::Status();
}

base::Status StageDelivery(state::Draft& draft, const state::Object& alert, const Deploy& deploy,
                           const std::string& number) {
  const std::string provider_name(alert["spec"]["providerRef"]["name"].AsString());
  const state::ObjectPtr provider = draft.view().Get(kProviders, alert.key.ns, provider_name);
  if (provider == nullptr) {
    return base::Status(base::Code::kNotFound,
                        "there is no Provider \"" + provider_name + "\" in its namespace");
  }
  const std::string_view type = (*provider)["spec"]["type"].AsString();
  const Notifier* notifier = FindNotifier(type);
  if (notifier == nullptr || IsHeld(*provider)) return base::Status();
  const state::ObjectPtr application = draft.view().Get(KustomizationKey(deploy.application));
  const DeployEvent event{.deploy = deploy,
                          .application = *application,
                          .id = number + "-" + deploy.commit().substr(0, 12),
                          .source = SourceUrl(draft.view(), deploy),
                          .metadata = Metadata(alert)};
  RETURN_IF_ERROR(MakeRoom(draft, alert.key.ns, provider_name));
  Json delivery = Json::MakeObject(
      {{"apiVersion", "plumb.dev/v1"},
       {"kind", "Delivery"},
       {"metadata", Json::MakeObject({{"name", alert.key.name.substr(0, 200) + "-" + number},
                                      {"namespace", alert.key.ns}})},
       {"spec", Json::MakeObject({{"provider", provider_name},
                                  {"type", type},
                                  {"alert", alert.key.name},
                                  {"event", EventName(deploy)},
                                  {"subject", deploy.revision},
                                  {"body", notifier->body(event)}})}});
  return draft.Create(std::move(delivery)).status();
}

}  // namespace

bool Hears(const state::Object& alert, const state::View& view, const Deploy& deploy) {
  const state::ObjectPtr kustomization = view.Get(KustomizationKey(deploy.application));
  const base::Value spec = alert["spec"];
  if (kustomization == nullptr || alert.Deleting() || spec["suspend"].AsBool()) return false;
  const bool failed = deploy.phase == DeployPhase::kFailed;
  if (spec["eventSeverity"].AsString("info") == "error" && !failed) return false;
  if (alert.key.ns != kSystemNamespace && !ScopeOf(*kustomization).Allows(alert.key.ns)) {
    return false;
  }
  for (const base::Value source : spec["eventSources"].Elements()) {
    if (SourceMatches(source, *kustomization)) return true;
  }
  return false;
}

void HoldProviders(state::Draft& draft) {
  std::vector<state::ObjectPtr> inert;
  for (const state::ObjectPtr& provider : draft.view().List(kProviders)) {
    const Notifier* notifier = FindNotifier((*provider)["spec"]["type"].AsString());
    if (notifier != nullptr && notifier->since_errands && !IsHeld(*provider)) {
      inert.push_back(provider);
    }
  }
  for (const state::ObjectPtr& provider : inert) {
    base::LogWarning(
        "a Provider stays without effect until its spec is changed, or its annotation "
        "plumb.dev/held-generation is removed",
        {{"provider", provider->key.ToString()}});
    Json object = provider->document.ToJson();
    object["metadata"]["annotations"].Set(kHeldAnnotation, std::to_string(provider->Generation()));
    // What today's rules refuse has no address or no key: nothing is sent by it either.
    const base::Status held = draft.Update(std::move(object)).status();
    if (!held.ok()) base::LogWarning("a Provider is wrong", {{"why", std::string(held.message())}});
  }
}

void StageDeliveries(state::Draft& draft, const Deploy& deploy) {
  const std::string number = std::to_string(draft.view().revision());
  std::vector<state::ObjectPtr> alerts;
  for (const state::ObjectPtr& alert : draft.view().List(kAlerts)) {
    if (Hears(*alert, draft.view(), deploy)) alerts.push_back(alert);
  }
  for (const state::ObjectPtr& alert : alerts) {
    const base::Status staged = StageDelivery(draft, *alert, deploy, number);
    if (staged.ok()) continue;
    base::LogWarning("an alert is not sent",
                     {{"alert", alert->key.ToString()}, {"why", std::string(staged.message())}});
  }
}

}  // namespace gitsync

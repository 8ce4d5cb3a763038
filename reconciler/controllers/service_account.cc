// ServiceAccount: every namespace has a service account "default", which pods get that name none,
// and a ConfigMap "kube-root-ca.crt" with the certificate by which they know the API server.
//
// Both come back when they are deleted, and the certificate is put right when someone edits it. One
// that cannot be made (a quota, say) does not keep the other from being made: it is an event, and
// is tried again.
#include <string>
#include <utility>

#include "reconciler/controllers/all.h"
#include "reconciler/controllers/announce.h"

namespace reconciler {
namespace {

constexpr std::string_view kAccount = "default";
constexpr std::string_view kConfigMap = "kube-root-ca.crt";
constexpr std::string_view kCertificate = "ca.crt";
constexpr base::Duration kRetryRefused = base::Duration::Seconds(30);

class ServiceAccountController final : public Controller {
 public:
  explicit ServiceAccountController(std::string certificate)
      : certificate_(std::move(certificate)) {}
  std::string_view name() const override { return "service-account"; }

  void Affects(const state::Change& change, const state::View&,
               const Enqueue& enqueue) const override {
    const state::Key& key = change.key();
    if (key.resource == "namespaces" && change.created()) enqueue(key);
    if ((key.resource == "serviceaccounts" && key.name == kAccount) ||
        (key.resource == "configmaps" && key.name == kConfigMap)) {
      enqueue(state::Key{"namespaces", "", key.ns});
    }
  }

  base::Status Reconcile(Turn& turn, const state::Key& key) const override {
    const state::ObjectPtr ns = turn.view().Get(key);
    if (ns == nullptr || ns->Deleting()) return base::Status();
    const std::pair<std::string_view, base::Status> results[] = {
        {"ServiceAccountNotCreated", EnsureAccount(turn, key.name)},
        {"RootCertificateNotPublished", EnsureCertificate(turn, key.name)},
    };
    for (const auto& [reason, status] : results) {
      if (status.ok()) continue;
      EventOnce(turn, *ns, EventType::kWarning, reason, status.message());
      turn.Again(kRetryRefused);
    }
    return base::Status();
  }

 private:
  static base::Json NewObject(const char* kind, std::string_view ns, std::string_view name) {
    return base::Json::MakeObject(
        {{"apiVersion", "v1"},
         {"kind", kind},
         {"metadata", base::Json::MakeObject({{"name", name}, {"namespace", ns}})}});
  }

  static base::Status EnsureAccount(Turn& turn, std::string_view ns) {
    if (turn.view().Get("serviceaccounts", ns, kAccount) != nullptr) return base::Status();
    return turn.draft().Create(NewObject("ServiceAccount", ns, kAccount)).status();
  }

  base::Status EnsureCertificate(Turn& turn, std::string_view ns) const {
    if (certificate_.empty()) return base::Status();
    const state::ObjectPtr existing = turn.view().Get("configmaps", ns, kConfigMap);
    base::Json map =
        existing ? existing->document.ToJson() : NewObject("ConfigMap", ns, kConfigMap);
    map.Set("data", base::Json::MakeObject({{kCertificate, certificate_}}));
    return existing ? turn.draft().Update(std::move(map)).status()
                    : turn.draft().Create(std::move(map)).status();
  }

  const std::string certificate_;
};

}  // namespace

std::unique_ptr<Controller> NewServiceAccountController(const ControllerSettings& settings) {
  return std::make_unique<ServiceAccountController>(settings.ca_certificate);
}

}  // namespace reconciler

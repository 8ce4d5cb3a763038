// The Service has the first address of the service range, which admission gives to nobody by
// itself; should somebody have asked for it before, any other. It has no selector: who stands
// behind it is not a pod. A namespace that an earlier plumb began to delete is kept: one would be
// held by its Secrets for ever, the others would come back as soon as they had gone.
#include "reconciler/cluster_objects.h"

#include <string>
#include <string_view>

#include "base/ip.h"
#include "state/cluster_namespaces.h"

namespace reconciler {
namespace {

constexpr std::string_view kServiceNamespace = "default";
constexpr std::string_view kServiceName = "kubernetes";
constexpr int64_t kServicePort = 443;
constexpr int64_t kApiPort = 6443;

base::Status EnsureNamespace(state::Draft& draft, std::string_view name) {
  if (const state::ObjectPtr found = draft.view().Get("namespaces", "", name)) {
    if (!found->Deleting()) return base::Status();
    RETURN_IF_ERROR(draft.Undelete(found->key).status());
    return draft.UpdateStatus(found->key, base::Json::MakeObject({{"phase", "Active"}})).status();
  }
  return draft
      .Create(base::Json::MakeObject({{"apiVersion", "v1"},
                                      {"kind", "Namespace"},
                                      {"metadata", base::Json::MakeObject({{"name", name}})}}))
      .status();
}

base::Json ApiService() {
  return base::Json::MakeObject(
      {{"apiVersion", "v1"},
       {"kind", "Service"},
       {"metadata",
        base::Json::MakeObject({{"name", kServiceName},
                                {"namespace", kServiceNamespace},
                                {"labels", base::Json::MakeObject({{"component", "apiserver"},
                                                                   {"provider", "kubernetes"}})}})},
       {"spec", base::Json::MakeObject({{"ports", base::Json::MakeArray({base::Json::MakeObject(
                                                      {{"name", "https"},
                                                       {"port", kServicePort},
                                                       {"protocol", "TCP"},
                                                       {"targetPort", kApiPort}})})}})}});
}

base::Status EnsureService(state::Draft& draft) {
  if (draft.view().Get("services", kServiceNamespace, kServiceName) != nullptr)
    return base::Status();
  ASSIGN_OR_RETURN(const base::Cidr range, base::Cidr::Parse(draft.context().config->service_cidr));
  const std::string first = base::FormatIpv4(range.first() + 1);
  base::Json service = ApiService();
  if (draft.view().Lookup(state::Index::kTaken, first).empty())
    service["spec"].Set("clusterIP", first);
  return draft.Create(std::move(service)).status();
}

}  // namespace

base::Status EnsureClusterObjects(state::Draft& draft) {
  for (const std::string_view name : state::kClusterNamespaces) {
    RETURN_IF_ERROR(EnsureNamespace(draft, name));
  }
  return EnsureService(draft);
}

bool IsClusterObject(const state::Key& key) {
  if (state::IsClusterNamespace(key)) return true;
  return key.resource == "services" && key.ns == kServiceNamespace && key.name == kServiceName;
}

}  // namespace reconciler

// The Service has the first address of the service range, which admission gives to nobody by
// itself; should somebody have asked for it before, any other. It has no selector: who stands
// behind it is not a pod but the server, at the address that the configuration names. If it names
// none, whatever endpoint there is stays.
//
// A namespace that an earlier plumb began to delete is kept: one would be held by its Secrets for
// ever, the others would come back as soon as they had gone.
#include "reconciler/cluster_objects.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "base/ip.h"
#include "manifests/syntax.h"
#include "state/cluster_namespaces.h"

namespace reconciler {
namespace {

constexpr std::string_view kServiceNamespace = "default";
constexpr std::string_view kServiceName = "kubernetes";
constexpr int64_t kServicePort = 443;
constexpr std::string_view kPortName = "https";
constexpr std::string_view kSlices = "endpointslices.discovery.k8s.io";
constexpr std::string_view kAddressType = "IPv4";

// Somebody says what it is to be, and says it again when it was changed.
bool IsApplied(const state::Object& object) {
  return object.managers != nullptr &&
         std::any_of(object.managers->begin(), object.managers->end(),
                     [](const auto& entry) { return entry.manager->applies; });
}

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

base::Json ApiService(int api_port) {
  return base::Json::MakeObject(
      {{"apiVersion", "v1"},
       {"kind", "Service"},
       {"metadata",
        base::Json::MakeObject({{"name", kServiceName},
                                {"namespace", kServiceNamespace},
                                {"labels", base::Json::MakeObject({{"component", "apiserver"},
                                                                   {"provider", "kubernetes"}})}})},
       {"spec", base::Json::MakeObject({{"ports", base::Json::MakeArray({base::Json::MakeObject(
                                                      {{"name", kPortName},
                                                       {"port", kServicePort},
                                                       {"protocol", "TCP"},
                                                       {"targetPort", api_port}})})}})}});
}

base::Status EnsureService(state::Draft& draft) {
  if (draft.view().Get("services", kServiceNamespace, kServiceName) != nullptr)
    return base::Status();
  ASSIGN_OR_RETURN(const base::Cidr range, base::Cidr::Parse(draft.context().config->service_cidr));
  const std::string first = base::FormatIpv4(range.first() + 1);
  base::Json service = ApiService(draft.context().config->api_port);
  if (draft.view().Lookup(state::Index::kTaken, first).empty())
    service["spec"].Set("clusterIP", first);
  return draft.Create(std::move(service)).status();
}

}  // namespace

base::Status EnsureApiEndpoint(state::Draft& draft) {
  const state::ClusterConfig& config = *draft.context().config;
  // No endpoint may be at an address that leads each pod to itself.
  if (config.api_address.empty() || !manifests::WhySpecial(config.api_address).empty())
    return base::Status();
  const state::ObjectPtr found = draft.view().Get(ApiEndpointKey());
  if (found != nullptr && IsApplied(*found)) return base::Status();
  // It cannot become another; what comes in its place is made when it is gone.
  if (found != nullptr && (*found)["addressType"].AsString() != kAddressType)
    return draft.Delete(found->key, state::DeleteOptions()).status();
  base::Json slice =
      found != nullptr
          ? found->document.ToJson()
          : base::Json::MakeObject(
                {{"apiVersion", "discovery.k8s.io/v1"},
                 {"kind", "EndpointSlice"},
                 {"metadata", base::Json::MakeObject(
                                  {{"name", kServiceName}, {"namespace", kServiceNamespace}})},
                 {"addressType", kAddressType}});
  slice["metadata"]["labels"].Set("kubernetes.io/service-name", kServiceName);
  slice.Set("ports", base::Json::MakeArray({base::Json::MakeObject(
                         {{"name", kPortName}, {"port", config.api_port}, {"protocol", "TCP"}})}));
  slice.Set("endpoints", base::Json::MakeArray({base::Json::MakeObject(
                             {{"addresses", base::Json::MakeArray({config.api_address})},
                              {"conditions", base::Json::MakeObject({{"ready", true}})}})}));
  return (found != nullptr ? draft.Update(std::move(slice)) : draft.Create(std::move(slice)))
      .status();
}

state::Key ApiEndpointKey() {
  return {std::string(kSlices), std::string(kServiceNamespace), std::string(kServiceName)};
}

state::Key ApiServiceKey() {
  return {"services", std::string(kServiceNamespace), std::string(kServiceName)};
}

base::Status EnsureClusterObjects(state::Draft& draft) {
  for (const std::string_view name : state::kClusterNamespaces) {
    RETURN_IF_ERROR(EnsureNamespace(draft, name));
  }
  return EnsureService(draft);
}

bool IsClusterObject(const state::Key& key) {
  if (state::IsClusterNamespace(key)) return true;
  return key == ApiServiceKey() || key == ApiEndpointKey();
}

}  // namespace reconciler

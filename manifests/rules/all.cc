#include "manifests/rules/all.h"

#include "manifests/rules/cluster.h"
#include "manifests/rules/config.h"
#include "manifests/rules/flux.h"
#include "manifests/rules/ingress.h"
#include "manifests/rules/pod.h"
#include "manifests/rules/service.h"
#include "manifests/rules/workloads.h"

namespace manifests {
namespace {

// resource, check, check_update, apply_defaults
constexpr KindRules kRules[] = {
    {"alerts.notification.toolkit.fluxcd.io", CheckAlert, nullptr, nullptr},
    {"configmaps", CheckConfigMap, CheckSealed, nullptr},
    {"daemonsets.apps", CheckDaemonSet, nullptr, DefaultDaemonSet},
    {"deployments.apps", CheckDeployment, nullptr, DefaultDeployment},
    {"endpointslices.discovery.k8s.io", CheckEndpointSlice, nullptr, nullptr},
    {"gitrepositories.source.toolkit.fluxcd.io", CheckGitRepository, nullptr, nullptr},
    {"ingressclasses.networking.k8s.io", CheckIngressClass, nullptr, nullptr},
    {"ingresses.networking.k8s.io", CheckIngress, nullptr, nullptr},
    {"limitranges", CheckLimitRange, nullptr, DefaultLimitRange},
    {"namespaces", nullptr, nullptr, DefaultNamespace},
    {"nodes", CheckNode, nullptr, nullptr},
    {"pods", CheckPod, CheckPodUpdate, DefaultPod},
    {"replicasets.apps", CheckReplicaSet, nullptr, DefaultReplicaSet},
    {"replicationcontrollers", CheckReplicationController, nullptr, DefaultReplicationController},
    {"resourcequotas", CheckResourceQuota, nullptr, nullptr},
    {"secrets", CheckSecret, CheckSealed, DefaultSecret},
    {"services", CheckService, CheckServiceUpdate, DefaultService},
};

}  // namespace

const KindRules* FindRules(std::string_view resource) {
  for (const KindRules& rules : kRules) {
    if (rules.resource == resource) return &rules;
  }
  return nullptr;
}

}  // namespace manifests

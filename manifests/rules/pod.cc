// A pod's spec as a whole: names that must differ, volumes, tolerations, node affinity, DNS. What
// concerns one container alone is in containers.cc, affinity between pods in pod_affinity.cc.
//
// Kubernetes takes a volume without a source for an emptyDir, so none is no error.
#include "manifests/rules/pod.h"

#include <charconv>
#include <map>
#include <set>
#include <string>

#include "manifests/quantity.h"
#include "manifests/rules/metadata.h"
#include "manifests/walk.h"

namespace manifests {
namespace {

using base::Json;

void CheckVolume(const Json& volume, const std::string& path, Report& report) {
  CheckOneOf(volume, path,
             {"awsElasticBlockStore",
              "azureDisk",
              "azureFile",
              "cephfs",
              "cinder",
              "configMap",
              "csi",
              "downwardAPI",
              "emptyDir",
              "ephemeral",
              "fc",
              "flexVolume",
              "flocker",
              "gcePersistentDisk",
              "gitRepo",
              "glusterfs",
              "hostPath",
              "image",
              "iscsi",
              "nfs",
              "persistentVolumeClaim",
              "photonPersistentDisk",
              "portworxVolume",
              "projected",
              "quobyte",
              "rbd",
              "scaleIO",
              "secret",
              "storageos",
              "vsphereVolume"},
             true, report);
  const Json& size = volume["emptyDir"]["sizeLimit"];
  if (!size.IsNull()) WarnOfFewBytes("storage", size, path + ".emptyDir.sizeLimit", report);
  const Json& config_map = volume["configMap"];
  if (config_map.IsObject() && config_map["name"].AsString().empty()) {
    report.Required(path + ".configMap.name", "which ConfigMap? Name it here", config_map);
  }
  const Json& secret = volume["secret"];
  if (secret.IsObject() && secret["secretName"].AsString().empty()) {
    report.Required(path + ".secret.secretName", "which Secret? Name it here", secret);
  }
}

// A name may be used once among all the pod's containers; twice in one list is the schema's to
// report.
void CheckContainerNames(const Json& spec, const std::string& path, Report& report) {
  std::map<std::string_view, std::string_view> list_of;
  for (const std::string_view list : {"containers", "initContainers", "ephemeralContainers"}) {
    size_t index = 0;
    for (const Json& container : spec[list].Elements()) {
      const Json& name = container["name"];
      const std::string at = Join(Join(Join(path, list), index++), "name");
      if (name.AsString().empty()) continue;
      const auto [it, fresh] = list_of.emplace(name.AsString(), list);
      if (fresh || it->second == list) continue;
      report.Duplicate(at,
                       "the name " + std::string(name.AsString()) + " is taken by one of " +
                           std::string(it->second),
                       name);
    }
  }
}

// No two containers of a pod can hold the same port of the node.
void CheckHostPorts(const Json& spec, const std::string& path, Report& report) {
  std::set<std::string> taken;
  size_t index = 0;
  for (const Json& container : spec["containers"].Elements()) {
    const std::string at = Join(Join(path, "containers"), index++);
    size_t port_index = 0;
    for (const Json& port : container["ports"].Elements()) {
      const std::string field = Join(at + ".ports", port_index++) + ".hostPort";
      const int64_t number = port["hostPort"].AsInt();
      if (number == 0) continue;
      const std::string key = std::string(port["protocol"].AsString("TCP")) + "/" +
                              std::string(port["hostIP"].AsString()) + "/" + std::to_string(number);
      if (taken.insert(key).second) continue;
      report.Duplicate(field, "the host port " + std::to_string(number) + " is used twice",
                       port["hostPort"]);
    }
  }
}

void CheckToleration(const Json& toleration, const std::string& path, Report& report) {
  const std::string_view key = toleration["key"].AsString();
  const std::string_view op = toleration["operator"].AsString();
  if (key.empty() && op != "Exists") {
    report.Invalid(path + ".operator", "without a key it must be Exists", toleration);
  }
  if (op == "Exists" && !toleration["value"].AsString().empty()) {
    report.Invalid(path + ".value", "operator Exists takes no value; remove it",
                   toleration["value"]);
  }
  if (!toleration["tolerationSeconds"].IsNull() && toleration["effect"].AsString() != "NoExecute") {
    report.Invalid(path + ".effect", "tolerationSeconds needs the effect NoExecute", toleration);
  }
}

bool IsInteger(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

void CheckNodeRequirement(const Json& requirement, const std::string& path, Report& report) {
  const std::string_view op = requirement["operator"].AsString();
  const Json& values = requirement["values"];
  if ((op == "In" || op == "NotIn") && values.empty()) {
    report.Required(path + ".values", "operator " + std::string(op) + " needs values", requirement);
  } else if ((op == "Exists" || op == "DoesNotExist") && !values.empty()) {
    report.Forbidden(path + ".values", "operator " + std::string(op) + " takes no values", values);
  } else if ((op == "Gt" || op == "Lt") &&
             (values.size() != 1 || !IsInteger(values.At(0).AsString()))) {
    report.Invalid(path + ".values",
                   "operator " + std::string(op) + " needs one integer, as a string", requirement);
  }
}

void CheckNodeTerm(const Json& term, const std::string& path, Report& report) {
  for (const std::string_view list : {"matchExpressions", "matchFields"}) {
    size_t index = 0;
    for (const Json& requirement : term[list].Elements()) {
      CheckNodeRequirement(requirement, Join(Join(path, list), index++), report);
    }
  }
}

void CheckNodeAffinity(const Json& affinity, const std::string& path, Report& report) {
  constexpr std::string_view kRequired = "requiredDuringSchedulingIgnoredDuringExecution";
  constexpr std::string_view kPreferred = "preferredDuringSchedulingIgnoredDuringExecution";
  size_t index = 0;
  for (const Json& term : affinity[kRequired]["nodeSelectorTerms"].Elements()) {
    CheckNodeTerm(term, Join(Join(Join(path, kRequired), "nodeSelectorTerms"), index++), report);
  }
  index = 0;
  for (const Json& preferred : affinity[kPreferred].Elements()) {
    CheckNodeTerm(preferred["preference"], Join(Join(path, kPreferred), index++) + ".preference",
                  report);
  }
}

void CheckPodSpec(const Json& spec, const std::string& path, Report& report) {
  const bool host_network = spec["hostNetwork"].AsBool();
  size_t index = 0;
  for (const Json& volume : spec["volumes"].Elements()) {
    CheckVolume(volume, Join(path + ".volumes", index++), report);
  }
  VolumeNames volumes;
  for (const Json& volume : spec["volumes"].Elements()) volumes.insert(volume["name"].AsString());
  for (const std::string_view list : {"initContainers", "containers"}) {
    index = 0;
    for (const Json& container : spec[list].Elements()) {
      CheckContainer(container, Join(Join(path, list), index++), list == "initContainers", volumes,
                     host_network, report);
    }
  }
  CheckContainerNames(spec, path, report);
  CheckHostPorts(spec, path, report);
  CheckLabels(spec["nodeSelector"], path + ".nodeSelector", report);
  CheckNodeAffinity(spec["affinity"]["nodeAffinity"], path + ".affinity.nodeAffinity", report);
  for (const std::string_view side : {"podAffinity", "podAntiAffinity"}) {
    CheckPodAffinity(spec["affinity"][side], Join(path + ".affinity", side), report);
  }
  CheckTopologySpread(spec["topologySpreadConstraints"], path + ".topologySpreadConstraints",
                      report);
  index = 0;
  for (const Json& toleration : spec["tolerations"].Elements()) {
    CheckToleration(toleration, Join(path + ".tolerations", index++), report);
  }
  if (spec["dnsPolicy"].AsString() == "None" && spec["dnsConfig"]["nameservers"].empty()) {
    report.Required(path + ".dnsConfig.nameservers", "dnsPolicy None needs the name servers to ask",
                    spec);
  }
}

}  // namespace

void CheckOneOf(const Json& object, std::string_view path,
                std::initializer_list<std::string_view> choices, bool none_allowed,
                Report& report) {
  if (!object.IsObject()) return;
  std::string set;
  size_t count = 0;
  for (const std::string_view choice : choices) {
    if (IsAbsent(object.Find(choice))) continue;
    set += (set.empty() ? "" : " and ") + std::string(choice);
    ++count;
  }
  if (count > 1) {
    report.Forbidden(std::string(path), "can have only one of " + set + "; remove the others",
                     object);
  } else if (count == 0 && !none_allowed) {
    std::string all;
    for (const std::string_view choice : choices) {
      all += (all.empty() ? "" : ", ") + std::string(choice);
    }
    report.Required(std::string(path), "needs one of " + all, object);
  }
}

void CheckPod(const Json& object, Report& report) { CheckPodSpec(object["spec"], "spec", report); }

void CheckPodTemplate(const Json& pod_template, std::string_view path, Report& report) {
  const std::string spec_path = Join(path, "spec");
  const Json& spec = pod_template["spec"];
  CheckLabelsAndAnnotations(pod_template["metadata"], Join(path, "metadata"), report);
  CheckPodSpec(spec, spec_path, report);
  const Json& policy = spec["restartPolicy"];
  if (policy.IsString() && !policy.AsString().empty() && policy.AsString() != "Always") {
    report.NotSupported(spec_path + ".restartPolicy",
                        "must be Always here, because the pods are kept running", policy);
  }
  const Json& deadline = spec["activeDeadlineSeconds"];
  if (!deadline.IsNull()) {
    report.Forbidden(spec_path + ".activeDeadlineSeconds",
                     "pods that are kept running have no deadline; remove this field", deadline);
  }
}

}  // namespace manifests

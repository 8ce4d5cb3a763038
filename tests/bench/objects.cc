#include "tests/bench/objects.h"

#include <cstdio>

#include "base/rng.h"

namespace bench {
namespace {

using base::Json;

constexpr char kTime[] = "2026-01-01T00:00:00Z";

std::string Uid(uint64_t kind, uint64_t number) {
  return base::Rng(kind * 1'000'003 + number).Uuid();
}

Json Container(const std::string& name, const std::string& image, const char* cpu,
               const char* memory) {
  Json container = Json::MakeObject(
      {{"name", name},
       {"image", image},
       {"imagePullPolicy", "IfNotPresent"},
       {"terminationMessagePath", "/dev/termination-log"},
       {"terminationMessagePolicy", "File"},
       {"resources",
        Json::MakeObject({{"requests", Json::MakeObject({{"cpu", cpu}, {"memory", memory}})}})}});
  Json port = Json::MakeObject({{"containerPort", 8080}, {"protocol", "TCP"}, {"name", "http"}});
  container.Set("ports", Json::MakeArray({port}));
  container.Set("env", Json::MakeArray({Json::MakeObject({{"name", "MODE"}, {"value", "live"}}),
                                        Json::MakeObject({{"name", "LEVEL"}, {"value", "info"}})}));
  container.Set(
      "readinessProbe",
      Json::MakeObject(
          {{"httpGet", Json::MakeObject({{"path", "/ready"}, {"port", 8080}, {"scheme", "HTTP"}})},
           {"periodSeconds", 10},
           {"timeoutSeconds", 1},
           {"successThreshold", 1},
           {"failureThreshold", 3}}));
  return container;
}

Json Condition(const char* type) {
  return Json::MakeObject({{"type", type}, {"status", "True"}, {"lastTransitionTime", kTime}});
}

Json RunningStatus(int number, const Json& containers) {
  Json statuses = Json::MakeArray();
  for (const Json& container : containers.Elements()) {
    const std::string image(container["image"].AsString());
    statuses.Append(Json::MakeObject(
        {{"name", container["name"]},
         {"image", image},
         {"imageID", image + "@sha256:" + std::string(64, 'a')},
         {"containerID", "containerd://" + std::string(64, 'b')},
         {"ready", true},
         {"started", true},
         {"restartCount", 0},
         {"state", Json::MakeObject({{"running", Json::MakeObject({{"startedAt", kTime}})}})}}));
  }
  const std::string ip =
      "10.88." + std::to_string(number / 250 % 250) + "." + std::to_string(number % 250 + 2);
  return Json::MakeObject(
      {{"phase", "Running"},
       {"hostIP", "10.77.0.9"},
       {"podIP", ip},
       {"podIPs", Json::MakeArray({Json::MakeObject({{"ip", ip}})})},
       {"startTime", kTime},
       {"qosClass", "Burstable"},
       {"conditions", Json::MakeArray({Condition("PodScheduled"), Condition("Initialized"),
                                       Condition("Ready"), Condition("ContainersReady")})},
       {"containerStatuses", statuses}});
}

}  // namespace

base::Json ConfigMap(const std::string& ns, const std::string& name, size_t bytes) {
  std::string text;
  for (int line = 0; text.size() + 200 < bytes; ++line)
    text += "setting." + std::to_string(line) + " = value " + std::to_string(line * 7) + "\n";
  Json metadata = Json::MakeObject({{"name", name}, {"namespace", ns}});
  metadata.Set("labels", Json::MakeObject({{"app", "bench"}}));
  return Json::MakeObject({{"apiVersion", "v1"},
                           {"kind", "ConfigMap"},
                           {"metadata", metadata},
                           {"data", Json::MakeObject({{"settings", text}})}});
}

base::Json Pod(const std::string& ns, int group, int number, const std::string& node,
               int container_count) {
  const std::string app = "app-" + std::to_string(group);
  char suffix[32];
  std::snprintf(suffix, sizeof(suffix), "-7d4b9c6f5d-%06d", number);
  Json metadata = Json::MakeObject({{"name", app + suffix},
                                    {"namespace", ns},
                                    {"generateName", app + "-7d4b9c6f5d-"},
                                    {"creationTimestamp", kTime},
                                    {"uid", Uid(1, static_cast<uint64_t>(number))},
                                    {"resourceVersion", ""}});
  metadata.Set(
      "labels",
      Json::MakeObject({{"app", app}, {"tier", "backend"}, {"pod-template-hash", "7d4b9c6f5d"}}));
  metadata.Set("ownerReferences",
               Json::MakeArray({Json::MakeObject({{"apiVersion", "apps/v1"},
                                                  {"kind", "ReplicaSet"},
                                                  {"name", app + "-7d4b9c6f5d"},
                                                  {"uid", Uid(2, static_cast<uint64_t>(group))},
                                                  {"controller", true},
                                                  {"blockOwnerDeletion", true}})}));
  // The requests differ between groups, as those of different programs do.
  const std::string cpu = std::to_string(100 + group % 100) + "m";
  Json spec = Json::MakeObject({{"restartPolicy", "Always"},
                                {"dnsPolicy", "ClusterFirst"},
                                {"schedulerName", "default-scheduler"},
                                {"serviceAccountName", "default"},
                                {"terminationGracePeriodSeconds", 30},
                                {"securityContext", Json::MakeObject()}});
  Json containers = Json::MakeArray(
      {Container("main", "registry.example/team/" + app + ":1.4.2", cpu.c_str(), "128Mi")});
  if (container_count > 1)
    containers.Append(Container("proxy", "registry.example/mesh/proxy:2.0.1", "50m", "64Mi"));
  spec.Set("containers", containers);
  Json tolerations = Json::MakeArray();
  for (const char* key : {"node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"}) {
    tolerations.Append(Json::MakeObject({{"key", key},
                                         {"operator", "Exists"},
                                         {"effect", "NoExecute"},
                                         {"tolerationSeconds", 300}}));
  }
  spec.Set("tolerations", tolerations);
  if (!node.empty()) spec.Set("nodeName", node);
  return Json::MakeObject({{"apiVersion", "v1"},
                           {"kind", "Pod"},
                           {"metadata", metadata},
                           {"spec", spec},
                           {"status", node.empty() ? Json::MakeObject({{"phase", "Pending"}})
                                                   : RunningStatus(number, containers)}});
}

std::string NodeName(int number) {
  char name[32];
  std::snprintf(name, sizeof(name), "node-%05d", number);
  return name;
}

base::Json Node(int number) {
  const std::string name = NodeName(number);
  const Json room = Json::MakeObject({{"cpu", "32"}, {"memory", "128Gi"}, {"pods", "110"}});
  Json labels =
      Json::MakeObject({{"kubernetes.io/hostname", name},
                        {"topology.kubernetes.io/zone", "zone-" + std::to_string(number % 3)}});
  Json metadata = Json::MakeObject({{"name", name},
                                    {"uid", Uid(3, static_cast<uint64_t>(number))},
                                    {"creationTimestamp", kTime},
                                    {"resourceVersion", ""}});
  metadata.Set("labels", labels);
  return Json::MakeObject(
      {{"apiVersion", "v1"},
       {"kind", "Node"},
       {"metadata", metadata},
       {"spec", Json::MakeObject()},
       {"status", Json::MakeObject({{"capacity", room},
                                    {"allocatable", room},
                                    {"conditions", Json::MakeArray({Condition("Ready")})}})}});
}

}  // namespace bench

#include "tests/sim/manifest_text.h"

namespace tests {
namespace {

// An object that is fine by itself, and forbidden.
std::string Forbidden(const std::string& ns = "default") {
  return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: forbidden, namespace: " + ns +
         "}\ndata: {a: " + kForbidden + "}\n---\n";
}

std::string Deployment(const std::string& replicas, const std::string& more) {
  return "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: forbidden}\nspec:\n  " +
         replicas +
         "\n  selector: {matchLabels: {app: f}}\n  template:\n    metadata: {labels: {app: f}}\n"
         "    spec: {containers: [{name: c, image: x/run" +
         more + "}]}\n";
}

}  // namespace

std::string AppText(const std::string& name, const App& app) {
  const std::string version = std::to_string(app.version);
  std::string text = ConfigText(name + "-config", app.version) + "---\n";
  text += "apiVersion: v1\nkind: Service\nmetadata: {name: " + name +
          "}\nspec: {selector: {app: " + name + "}, ports: [{port: 80, targetPort: 8080}]}\n---\n";
  text += "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: " + name +
          "}\nspec:\n  replicas: " + std::to_string(app.replicas) +
          "\n  selector: {matchLabels: {app: " + name +
          "}}\n  template:\n    metadata: {labels: {app: " + name +
          "}}\n    spec:\n      terminationGracePeriodSeconds: 3\n      containers:\n"
          "      - name: c\n        image: " +
          app.image + "\n        env: [{name: VERSION, value: \"" + version +
          "\"}]\n        envFrom: [{configMapRef: {name: " + name +
          "-config}}]\n        resources: {requests: {cpu: " + std::to_string(app.milli_cpu) +
          "m}}\n";
  if (app.probe) {
    text += "        readinessProbe: {httpGet: {path: /ready, port: 8080}, periodSeconds: 2}\n";
  }
  return text;
}

App RandomApp(base::Rng& rng, int version, bool sick) {
  constexpr const char* kHealthy[] = {"x/run", "x/drain:800ms", "x/stubborn",
                                      "x/crash-once:1:300ms"};
  constexpr const char* kSick[] = {"x/exit:1:500ms", "x/broken", "x/oom:1s", "x/exit:0:2s"};
  App app;
  app.replicas = static_cast<int>(rng.Below(4));
  app.image = sick && rng.Chance(1, 4) ? kSick[rng.Below(4)] : kHealthy[rng.Below(4)];
  app.milli_cpu = 100 + 100 * static_cast<int>(rng.Below(4));
  app.probe = rng.Chance(1, 2);
  app.version = version;
  return app;
}

std::string DaemonText(const std::string& name, int version) {
  const bool surges = version % 2 == 0;
  return "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: " + name +
         "}\nspec:\n  updateStrategy: {rollingUpdate: {maxSurge: " + (surges ? "1" : "0") +
         ", maxUnavailable: " + (surges ? "0" : "1") +
         "}}\n  selector: {matchLabels: {app: " + name +
         "}}\n  template:\n    metadata: {labels: {app: " + name +
         "}}\n    spec:\n      terminationGracePeriodSeconds: 1\n      containers:\n"
         "      - {name: c, image: x/run, env: [{name: VERSION, value: \"" +
         std::to_string(version) + "\"}]}\n";
}

std::string ConfigText(const std::string& name, int version, int wave) {
  return "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: " + name +
         (wave == 0 ? "" : "\n  annotations: {plumb.dev/wave: \"" + std::to_string(wave) + "\"}") +
         "\ndata: {version: \"" + std::to_string(version) + "\"}\n";
}

std::string SecretText(const std::string& name, int version) {
  return "apiVersion: v1\nkind: Secret\nmetadata: {name: " + name + "}\nstringData: {version: \"" +
         std::to_string(version) + "\"}\n";
}

std::string NamespaceText(const std::string& name, int version) {
  return "apiVersion: v1\nkind: Namespace\nmetadata: {name: " + name +
         "}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: inside, namespace: " + name +
         "}\ndata: {version: \"" + std::to_string(version) +
         "\"}\n---\napiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {name: inside, namespace: " +
         name +
         "}\nspec:\n  replicas: 1\n  selector: {matchLabels: {app: inside}}\n  template:\n"
         "    metadata: {labels: {app: inside}}\n    spec: {terminationGracePeriodSeconds: 1, "
         "containers: [{name: c, image: x/run}]}\n";
}

std::vector<BadText> BadTexts() {
  return {
      {"misspelt field", Forbidden() + Deployment("replica: 2", "")},
      {"wrong type", Forbidden() + Deployment("replicas: two", "")},
      {"broken YAML", Forbidden() + "a: [1, 2\nb: {\n"},
      {"missing Secret",
       Forbidden() + Deployment("replicas: 1", ", envFrom: [{secretRef: {name: nowhere}}]")},
      {"missing namespace", Forbidden("nowhere")},
      {"namespace out of bounds", Forbidden("kube-system")},
      {"the same object twice", Forbidden() + Forbidden()},
      {"no kind", Forbidden() + "metadata: {name: forbidden}\n"},
      {"bad name", Forbidden() + ConfigText("Not_A_Name", 1)},
      {"bad wave", Forbidden() + "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: forbidden-too, "
                                 "annotations: {plumb.dev/wave: soon}}\n"},
  };
}

}  // namespace tests

#include "gitsync/plan/references.h"

#include <algorithm>

#include "manifests/walk.h"

namespace gitsync {
namespace {

using base::Json;
using manifests::Join;

class Collector {
 public:
  std::vector<Reference> Collect(const Json& spec, const std::string& path) {
    const Json& account = spec["serviceAccountName"];
    // Every namespace gets the account "default" from a controller.
    if (account.AsString() != "default")
      Add("serviceaccounts", account, Join(path, "serviceAccountName"));
    for (const char* list : {"initContainers", "containers"}) {
      ForEach(spec[list], Join(path, list),
              [&](const Json& container, const std::string& at) { Container(container, at); });
    }
    ForEach(spec["volumes"], Join(path, "volumes"),
            [&](const Json& volume, const std::string& at) { Volume(volume, at); });
    ForEach(spec["imagePullSecrets"], Join(path, "imagePullSecrets"),
            [&](const Json& secret, const std::string& at) {
              Add("secrets", secret["name"], Join(at, "name"));
            });
    std::stable_sort(found_.begin(), found_.end(),
                     [](const Reference& a, const Reference& b) { return a.mark < b.mark; });
    return std::move(found_);
  }

 private:
  template <typename Visit>
  static void ForEach(const Json& list, const std::string& path, const Visit& visit) {
    size_t index = 0;
    for (const Json& element : list.Elements()) visit(element, Join(path, index++));
  }

  void Add(const char* resource, const Json& name, const std::string& field,
           const Json& key = Json()) {
    if (name.AsString().empty()) return;
    found_.push_back(Reference{resource, std::string(name.AsString()), std::string(key.AsString()),
                               field, name.mark});
  }

  // {name, key, optional}, as env and envFrom have it.
  void Source(const char* resource, const Json& source, const std::string& path) {
    if (!source["optional"].AsBool()) {
      Add(resource, source["name"], Join(path, "name"), source["key"]);
    }
  }

  void Container(const Json& container, const std::string& path) {
    ForEach(container["env"], Join(path, "env"), [&](const Json& env, const std::string& at) {
      const Json& from = env["valueFrom"];
      const std::string base = Join(at, "valueFrom");
      Source("secrets", from["secretKeyRef"], Join(base, "secretKeyRef"));
      Source("configmaps", from["configMapKeyRef"], Join(base, "configMapKeyRef"));
    });
    ForEach(container["envFrom"], Join(path, "envFrom"),
            [&](const Json& from, const std::string& at) {
              Source("secrets", from["secretRef"], Join(at, "secretRef"));
              Source("configmaps", from["configMapRef"], Join(at, "configMapRef"));
            });
  }

  void Volume(const Json& volume, const std::string& path) {
    const Json& secret = volume["secret"];
    if (!secret["optional"].AsBool()) {
      Add("secrets", secret["secretName"], Join(path, "secret.secretName"));
    }
    Source("configmaps", volume["configMap"], Join(path, "configMap"));
    ForEach(volume["projected"]["sources"], Join(path, "projected.sources"),
            [&](const Json& from, const std::string& at) {
              Source("secrets", from["secret"], Join(at, "secret"));
              Source("configmaps", from["configMap"], Join(at, "configMap"));
            });
  }

  std::vector<Reference> found_;
};

std::string KindOf(const std::string& resource) {
  if (resource == "secrets") return "Secret";
  return resource == "configmaps" ? "ConfigMap" : "ServiceAccount";
}

}  // namespace

const Json& PodSpecOf(const Json& object, std::string* path) {
  const auto answer = [&](const Json& spec, const char* at) -> const Json& {
    if (path != nullptr) *path = at;
    return spec;
  };
  const Json& spec = object["spec"];
  if (object["kind"].AsString() == "Pod") return answer(spec, "spec");
  const Json& job = spec["jobTemplate"]["spec"]["template"]["spec"];
  if (!job.IsNull()) return answer(job, "spec.jobTemplate.spec.template.spec");
  return answer(spec["template"]["spec"], "spec.template.spec");
}

std::vector<Reference> ReferencesOf(const Json& object) {
  std::string path;
  const Json& spec = PodSpecOf(object, &path);
  if (!spec.IsObject()) return {};
  return Collector().Collect(spec, path);
}

std::string Unresolved(const Reference& reference, const std::string& ns, const state::View& view) {
  const state::ObjectPtr object = view.Get(reference.resource, ns, reference.name);
  const std::string what = KindOf(reference.resource) + " \"" + reference.name + "\"";
  const std::string ways = ", or push with -o allow-missing";
  if (object == nullptr || object->Deleting()) {
    return "namespace " + ns + " would have no " + what + "; add it, correct the name" + ways;
  }
  if (reference.key.empty() || (*object)["data"][reference.key].Exists() ||
      (*object)["binaryData"][reference.key].Exists()) {
    return "";
  }
  return what + " has no entry \"" + reference.key + "\"; add it, correct the key" + ways;
}

}  // namespace gitsync

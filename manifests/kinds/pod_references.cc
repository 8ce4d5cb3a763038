// What a pod names: a ServiceAccount; Secrets to pull images with; in the environment of its
// containers, and in its volumes, ConfigMaps and Secrets, whole or by key; claims.
#include <utility>

#include "manifests/kinds/pod.h"

namespace manifests {
namespace {

constexpr Reference kAccount{"serviceaccounts", "ServiceAccount"};
constexpr Reference kClaim{"persistentvolumeclaims", "PersistentVolumeClaim"};
constexpr Reference kConfigMap{"configmaps", "ConfigMap"};
constexpr Reference kSecret{"secrets", "Secret"};

template <typename V>
class PodWalk {
 public:
  explicit PodWalk(const ReferenceVisitor& visit) : visit_(visit) {}

  void Spec(const V& spec, const FieldPath& path) {
    Refer(visit_, kAccount, spec["serviceAccountName"], {path, "serviceAccountName"});
    for (const std::string_view list : {"initContainers", "containers", "ephemeralContainers"}) {
      ForEach(spec, list, path, [&](const V& container, const FieldPath& at) {
        ForEach(container, "env", at,
                [&](const V& variable, const FieldPath& in) { Variable(variable, in); });
        ForEach(container, "envFrom", at, [&](const V& from, const FieldPath& in) {
          Named(kSecret, from["secretRef"], {in, "secretRef"});
          Named(kConfigMap, from["configMapRef"], {in, "configMapRef"});
        });
      });
    }
    ForEach(spec, "volumes", path,
            [&](const V& volume, const FieldPath& at) { Volume(volume, at); });
    ForEach(spec, "imagePullSecrets", path,
            [&](const V& secret, const FieldPath& at) { Named(kSecret, secret, at); });
  }

 private:
  template <typename Visit>
  static void ForEach(const V& in, std::string_view field, const FieldPath& path,
                      const Visit& visit) {
    const FieldPath list(path, field);
    size_t index = 0;
    for (const V& element : in[field].Elements()) visit(element, FieldPath(list, index++));
  }

  // {name, key, optional}
  void Named(Reference what, const V& source, const FieldPath& path) {
    Name(what, source, source["name"], {path, "name"});
  }
  void Name(Reference what, const V& source, const V& name, const FieldPath& path) {
    what.key = source["key"].AsString();
    what.optional = source["optional"].AsBool();
    Refer(visit_, what, name, path);
  }

  void Variable(const V& variable, const FieldPath& path) {
    const V& from = variable["valueFrom"];
    const FieldPath at(path, "valueFrom");
    Named(kSecret, from["secretKeyRef"], {at, "secretKeyRef"});
    Named(kConfigMap, from["configMapKeyRef"], {at, "configMapKeyRef"});
  }

  void Volume(const V& volume, const FieldPath& path) {
    const V& secret = volume["secret"];
    Name(kSecret, secret, secret["secretName"], {path, "secret.secretName"});
    Named(kConfigMap, volume["configMap"], {path, "configMap"});
    const V& claim = volume["persistentVolumeClaim"];
    Name(kClaim, claim, claim["claimName"], {path, "persistentVolumeClaim.claimName"});
    ForEach(volume["projected"], "sources", {path, "projected"},
            [&](const V& from, const FieldPath& at) {
              Named(kSecret, from["secret"], {at, "secret"});
              Named(kConfigMap, from["configMap"], {at, "configMap"});
            });
  }

  const ReferenceVisitor& visit_;
};

}  // namespace

template <typename V>
void PodReferences(const V& pod, const ReferenceVisitor& visit) {
  PodWalk<V>(visit).Spec(pod["spec"], {FieldPath(), "spec"});
}

template <typename V>
void TemplateReferences(const V& object, const ReferenceVisitor& visit) {
  const FieldPath root, spec(root, "spec"), job(spec, "jobTemplate.spec");
  PodWalk<V> walk(visit);
  walk.Spec(object["spec"]["template"]["spec"], {spec, "template.spec"});
  walk.Spec(object["spec"]["jobTemplate"]["spec"]["template"]["spec"], {job, "template.spec"});
}

template void PodReferences(const base::Value&, const ReferenceVisitor&);
template void PodReferences(const base::Json&, const ReferenceVisitor&);
template void TemplateReferences(const base::Value&, const ReferenceVisitor&);
template void TemplateReferences(const base::Json&, const ReferenceVisitor&);

}  // namespace manifests

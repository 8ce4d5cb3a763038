// plumb's own Secrets are written and removed by plumb alone: a repository that declares one, a
// client that creates, changes or deletes one, is told so. The namespace that they are in cannot be
// deleted, since all of them would go with it.
#include "state/admission/admission.h"
#include "state/own_secrets.h"

namespace state {
namespace {

base::Status CheckWriter(const Key& key, const DraftContext& context) {
  if (!IsOwnSecret(key) || IsVault(context.actor)) return base::Status();
  return base::Status(base::Code::kForbidden,
                      "secrets \"" + key.name + "\" is forbidden: in " +
                          std::string(kSystemNamespace) + " the names that begin with \"" +
                          std::string(kOwnSecretPrefix) +
                          "\" are plumb's own; choose another name, or use plumb token");
}

}  // namespace

base::Status AdmitOwnSecret(AdmissionRequest& request) {
  return CheckWriter(request.key, request.context);
}

base::Status CheckDeletion(const Key& key, const DraftContext& context) {
  if (key.resource == "namespaces" && key.name == kSystemNamespace) {
    return base::Status(base::Code::kForbidden, "namespaces \"" + key.name +
                                                    "\" is forbidden: this namespace may not be "
                                                    "deleted, plumb keeps its own objects in it");
  }
  return CheckWriter(key, context);
}

}  // namespace state

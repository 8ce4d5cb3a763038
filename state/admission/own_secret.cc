// plumb's own Secrets are written and removed by plumb alone: a repository that declares one, a
// client that creates, changes or deletes one, is told so.
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

base::Status CheckOwnSecretDeletion(const Key& key, const DraftContext& context) {
  return CheckWriter(key, context);
}

}  // namespace state

// As of a ConfigMap, but kept in memory. A volume names its secret `secretName`, a source of a
// projected volume `name`.
#include "nodeagent/volumes/kinds/volume_kind.h"

namespace nodeagent {
namespace {

base::Status AddSecret(const PodContext& context, base::Value body, int64_t mode,
                       VolumeFiles& files) {
  const std::string_view name = body["secretName"].AsString(body["name"].AsString());
  const bool optional = body["optional"].AsBool();
  ASSIGN_OR_RETURN(const Entries entries, SecretEntries(context, name, optional));
  return AddEntries(entries, body["items"], "secret", name, optional, mode, files);
}

bool Always(base::Value) { return true; }

}  // namespace

extern const VolumeKind kSecretVolume = {
    .field = "secret", .add_files = AddSecret, .holds_secret = Always};

}  // namespace nodeagent

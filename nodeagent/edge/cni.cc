// Rules: the bridge has the range's first address and is the pods' gateway. There is no
// masquerading here: other nodes reach pods by their own addresses, and what leaves the cluster is
// the service rules' matter, and so are host ports. Hairpin mode lets a pod reach itself through a
// service. The runtime adds the loopback interface by itself.
#include "nodeagent/edge/cni.h"

#include "base/edge/files.h"
#include "base/json.h"

namespace nodeagent {

using base::Json;

std::string CniConfigText(const CniOptions& options) {
  Json range = Json::MakeObject({{"subnet", options.pod_cidr}});
  Json ipam = Json::MakeObject({
      {"type", "host-local"},
      {"dataDir", options.data_directory},
      {"ranges", Json::MakeArray({Json::MakeArray({range})})},
      {"routes", Json::MakeArray({Json::MakeObject({{"dst", "0.0.0.0/0"}})})},
  });
  Json bridge = Json::MakeObject({
      {"type", "bridge"},
      {"bridge", options.bridge},
      {"isGateway", true},
      {"ipMasq", false},
      {"hairpinMode", true},
      {"ipam", ipam},
  });
  if (options.mtu != 0) bridge.Set("mtu", int64_t{options.mtu});
  return Json::MakeObject({
                              {"cniVersion", "1.0.0"},
                              {"name", "plumb"},
                              {"plugins", Json::MakeArray({bridge})},
                          })
      .ToString();
}

base::Status WriteCniConfig(const CniOptions& options) {
  RETURN_IF_ERROR(base::MakeDirectories(options.directory, 0755));
  RETURN_IF_ERROR(base::MakeDirectories(options.data_directory, 0755));
  return base::WriteFileAtomic(options.directory + "/" + kCniFile, CniConfigText(options), 0644);
}

}  // namespace nodeagent

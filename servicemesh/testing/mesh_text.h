// MeshFromText: services as tests write them, one a line, ports below:
//
//   service default/web 10.96.0.1 [affinity=SECONDS] [internal=local] [external=local] [publish]
//     tcp/80[@NODEPORT][=NAME] ENDPOINT...
//   service default/db headless
//   service default/out external=NAME
//   hostport default/web tcp/8080 10.88.1.2:80 [HOST-IP]
//
// An ENDPOINT is IP:PORT[@NODE][%HOSTNAME], then `!` if it is not ready, or `~` if it is
// terminating but serves. A line that cannot be read ends the test program with a sentence.
#pragma once

#include <string_view>
#include <vector>

#include "servicemesh/services.h"

namespace servicemesh {

std::vector<Service> ServicesFromText(std::string_view text);
std::vector<HostPort> HostPortsFromText(std::string_view text);

// As node "n1" at 10.89.0.1 with the pods 10.88.1.0/24 of 10.88.0.0/16; services in 10.96.0.0/16.
MeshInput MeshFromText(std::string_view text, uint64_t revision = 1);

}  // namespace servicemesh

#include "servicemesh/rules/read_mesh.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace servicemesh {
namespace {

state::ObjectPtr ServiceAt(const std::string& ns, const std::string& name,
                           const std::string& address) {
  auto object = std::make_shared<state::Object>();
  object->key = {"services", ns, name};
  object->document = base::Document(*base::ParseJson(
      R"({"kind":"Service","metadata":{"namespace":")" + ns + R"(","name":")" + name +
      R"("},"spec":{"clusterIP":")" + address + R"(","ports":[{"port":53,"protocol":"UDP"}]}})"));
  return object;
}

// Such a Service may be stored since a time when it was not refused.
TEST(ReadMeshTest, NoServiceTakesAnAddressOfTheClusterItself) {
  state::View view;
  view.Put(ServiceAt("default", "kubernetes", "10.96.0.1"));
  view.Put(ServiceAt("default", "web", "10.96.0.11"));
  view.Put(ServiceAt("shop", "last", "10.96.255.255"));
  view.Put(ServiceAt("shop", "thief", "10.96.0.10"));
  MeshInput place;
  place.service_cidr = *base::Cidr::Parse("10.96.0.0/16");
  std::string shown;
  for (const Service& service : ReadMesh(view, place).services) {
    shown += service.spec.name + ":";
    for (const Ipv4 ip : service.spec.cluster_ips) shown += " " + ip.ToString();
    shown += "\n";
  }
  EXPECT_EQ(shown, "kubernetes: 10.96.0.1\nweb: 10.96.0.11\nlast:\nthief:\n");
}

}  // namespace
}  // namespace servicemesh

#include "servicemesh/services.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "servicemesh/testing/mesh_text.h"

namespace servicemesh {
namespace {

std::string Flags(const Endpoint& endpoint) {
  return std::string(endpoint.ready ? "r" : "-") + (endpoint.serving ? "s" : "-") +
         (endpoint.terminating ? "t" : "-");
}

// One line a port and one for what DNS names.
std::string Tell(const std::vector<Service>& services) {
  std::string text;
  for (const Service& service : services) {
    const std::string name = service.spec.ns + "/" + service.spec.name;
    for (const ServicePort& port : service.ports) {
      text += name + " " + port.name + " " + NameOf(port.protocol) + "/" +
              std::to_string(port.port) + "@" + std::to_string(port.node_port) + ":";
      for (const Endpoint& e : port.endpoints)
        text += " " + e.ip.ToString() + ":" + std::to_string(e.port) + "@" + e.node + Flags(e);
      text += "\n";
    }
    text += name + " addresses:";
    for (const Endpoint& e : service.addresses)
      text += " " + e.ip.ToString() + "%" + e.hostname + "=" + e.pod;
    text += "\n";
  }
  return text;
}

std::vector<Service> Read(const std::vector<std::string>& services,
                          const std::vector<std::string>& slices) {
  std::vector<base::Document> documents;
  for (const auto* texts : {&services, &slices}) {
    for (const std::string& text : *texts) {
      base::Result<base::Document> document = base::Document::Parse(text);
      EXPECT_TRUE(document.ok()) << document.status().ToString();
      documents.push_back(*std::move(document));
    }
  }
  std::vector<base::Value> values;
  for (const base::Document& document : documents) values.push_back(document.root());
  const auto middle = values.begin() + static_cast<ptrdiff_t>(services.size());
  return ServicesFrom({values.begin(), middle}, {middle, values.end()});
}

constexpr char kWeb[] = R"({"kind":"Service","metadata":{"name":"web","namespace":"default"},
  "spec":{"clusterIP":"10.96.0.1","clusterIPs":["10.96.0.1","fd00::1"],"type":"NodePort",
    "externalTrafficPolicy":"Local","sessionAffinity":"ClientIP",
    "ports":[{"name":"https","port":443,"targetPort":8443},
             {"name":"http","port":80,"nodePort":30080,"targetPort":"web"}]}})";

std::string Slice(const std::string& name, const std::string& ports, const std::string& endpoints,
                  const std::string& type = "IPv4") {
  return R"({"kind":"EndpointSlice","addressType":")" + type + R"(","metadata":{"name":")" + name +
         R"(","namespace":"default","labels":{"kubernetes.io/service-name":"web"}},"ports":[)" +
         ports + R"(],"endpoints":[)" + endpoints + "]}";
}

TEST(ServicesTest, SlicesAreJoinedByLabelAndPortName) {
  const std::string http = R"({"name":"http","port":8080,"protocol":"TCP"})";
  const std::string https = R"({"name":"https","port":8443})";
  EXPECT_EQ(
      Tell(
          Read({kWeb},
               {Slice("b", http + "," + https,
                      R"({"addresses":["10.88.2.2"],"nodeName":"n2","conditions":{"ready":true}})"),
                Slice("a", http,
                      R"({"addresses":["10.88.1.2"],"nodeName":"n1","hostname":"h",
                           "targetRef":{"kind":"Pod","name":"web-0"}})"),
                Slice("other", R"({"name":"metrics","port":9})", R"({"addresses":["10.88.1.9"]})"),
                Slice("six", http, R"({"addresses":["fd00::2"]})", "IPv6")})),
      "default/web http tcp/80@30080: 10.88.1.2:8080@n1rs- 10.88.2.2:8080@n2rs-\n"
      "default/web https tcp/443@0: 10.88.2.2:8443@n2rs-\n"
      "default/web addresses: 10.88.1.2%h=web-0 10.88.1.9%= 10.88.2.2%=\n");
}

TEST(ServicesTest, EndpointMentionedTwiceCountsOnceAndAsTheMoreAlive) {
  const std::string http = R"({"name":"http","port":8080})";
  const std::string dying =
      R"({"addresses":["10.88.1.2"],"conditions":{"ready":false,"serving":true,"terminating":true}})";
  const std::string alive = R"({"addresses":["10.88.1.2"],"conditions":{"ready":true}})";
  const std::vector<Service> one = Read({kWeb}, {Slice("a", http, dying), Slice("b", http, alive)});
  const std::vector<Service> other =
      Read({kWeb}, {Slice("b", http, alive), Slice("a", http, dying)});
  EXPECT_EQ(one, other);
  ASSERT_EQ(one[0].ports[0].endpoints.size(), 1u);
  EXPECT_EQ(Flags(one[0].ports[0].endpoints[0]), "rs-");
}

TEST(ServicesTest, SpecIsRead) {
  const ServiceSpec spec = Read({kWeb}, {})[0].spec;
  EXPECT_EQ(spec.cluster_ips, std::vector<Ipv4>{*Ipv4::Parse("10.96.0.1")});
  EXPECT_EQ(spec.session_affinity_seconds, 10'800u);
  EXPECT_EQ(spec.external_traffic_policy, TrafficPolicy::kLocal);
  EXPECT_EQ(spec.internal_traffic_policy, TrafficPolicy::kCluster);
  EXPECT_EQ(spec.type, ServiceType::kNodePort);
  EXPECT_FALSE(spec.headless);
}

TEST(ServicesTest, HeadlessAndExternalNameHaveNoAddress) {
  const std::vector<Service> services =
      Read({R"({"kind":"Service","metadata":{"name":"db","namespace":"d"},
                "spec":{"clusterIP":"None","publishNotReadyAddresses":true}})",
            R"({"kind":"Service","metadata":{"name":"out","namespace":"d"},
                "spec":{"type":"ExternalName","externalName":"db.example.com"}})",
            R"({"kind":"ConfigMap","metadata":{"name":"x","namespace":"d"}})"},
           {});
  ASSERT_EQ(services.size(), 2u);
  EXPECT_TRUE(services[0].spec.headless);
  EXPECT_TRUE(services[0].spec.publish_not_ready);
  EXPECT_TRUE(services[0].spec.cluster_ips.empty());
  EXPECT_FALSE(services[1].spec.headless);
  EXPECT_EQ(services[1].spec.external_name, "db.example.com");
}

std::string Usable(const std::string& endpoints, bool publish, const std::string& local_to = "") {
  const std::vector<Service> services =
      ServicesFromText("service d/s 10.96.0.1\n tcp/80 " + endpoints);
  std::string text;
  for (const Endpoint* e : UsableEndpoints(services[0].ports[0].endpoints, publish, local_to))
    text += (text.empty() ? "" : " ") + e->ip.ToString();
  return text;
}

TEST(ServicesTest, TerminatingEndpointsServeOnlyWhileNoneIsReady) {
  EXPECT_EQ(Usable("1.1.1.1:1 1.1.1.2:1! 1.1.1.3:1~", false), "1.1.1.1");
  EXPECT_EQ(Usable("1.1.1.1:1! 1.1.1.2:1! 1.1.1.3:1~", false), "1.1.1.3");
  EXPECT_EQ(Usable("1.1.1.1:1!", false), "");
  EXPECT_EQ(Usable("1.1.1.1:1! 1.1.1.2:1 1.1.1.3:1~", true), "1.1.1.1 1.1.1.2 1.1.1.3");
}

TEST(ServicesTest, LocalEndpointsAreJudgedAmongThemselves) {
  EXPECT_EQ(Usable("1.1.1.1:1@n1~ 1.1.1.2:1@n2", false, "n1"), "1.1.1.1");
  EXPECT_EQ(Usable("1.1.1.1:1@n1~ 1.1.1.2:1@n1", false, "n1"), "1.1.1.2");
  EXPECT_EQ(Usable("1.1.1.2:1@n2", false, "n1"), "");
}

}  // namespace
}  // namespace servicemesh

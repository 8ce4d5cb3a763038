#include "servicemesh/rules/host_ports.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace servicemesh {
namespace {

std::string Ports(const std::vector<std::string>& pods) {
  std::vector<base::Document> documents;
  for (const std::string& pod : pods) documents.emplace_back(*base::ParseJson(pod));
  std::vector<base::Value> values;
  for (const base::Document& document : documents) values.push_back(document.root());
  std::string text;
  for (const HostPort& port : HostPortsFrom(values, "n1")) {
    text += port.pod + " " + port.host_ip.ToString() + " " + NameOf(port.protocol) + "/" +
            std::to_string(port.port) + " " + port.target_ip.ToString() + ":" +
            std::to_string(port.target_port) + "\n";
  }
  return text;
}

std::string Pod(const std::string& name, const std::string& spec, const std::string& status) {
  return R"({"metadata":{"namespace":"d","name":")" + name + R"("},"spec":{"nodeName":"n1",)" +
         spec + R"(},"status":{)" + status + "}}";
}

TEST(HostPortsTest, EveryPortOfARunningPodCounts) {
  EXPECT_EQ(
      Ports({Pod("web",
                 R"("initContainers":[{"ports":[{"containerPort":1,"hostPort":1}]},)"
                 R"({"restartPolicy":"Always","ports":[{"containerPort":2,"hostPort":9002}]}],)"
                 R"("containers":[{"ports":[{"containerPort":80,"hostPort":8080},)"
                 R"({"containerPort":81},)"
                 R"({"containerPort":53,"hostPort":53,"protocol":"UDP","hostIP":"10.89.0.1"},)"
                 R"({"containerPort":54,"hostPort":54,"hostIP":"::1"}]}])",
                 R"("phase":"Running","podIP":"10.88.1.2")")}),
      "d/web 0.0.0.0 tcp/8080 10.88.1.2:80\n"
      "d/web 0.0.0.0 tcp/9002 10.88.1.2:2\n"
      "d/web 10.89.0.1 udp/53 10.88.1.2:53\n");
}

TEST(HostPortsTest, PodsThatCannotAnswerDoNotCount) {
  const std::string ports = R"("containers":[{"ports":[{"containerPort":80,"hostPort":8080}]}])";
  EXPECT_EQ(
      Ports({Pod("a", ports, R"("phase":"Pending")"),
             Pod("b", ports, R"("phase":"Succeeded","podIP":"10.88.1.2")"),
             Pod("c", ports, R"("phase":"Failed","podIP":"10.88.1.2")"),
             Pod("d", ports + R"(,"hostNetwork":true)", R"("podIP":"10.88.1.2")"),
             R"({"spec":{"nodeName":"n2",)" + ports + R"(},"status":{"podIP":"10.88.2.2"}})"}),
      "");
}

}  // namespace
}  // namespace servicemesh

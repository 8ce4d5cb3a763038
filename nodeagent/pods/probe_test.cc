// What each kind of handler asks for, as a table.
#include "nodeagent/pods/probe.h"

#include <gtest/gtest.h>

#include <string>

#include "manifests/yaml/yaml.h"

namespace nodeagent {
namespace {

base::Document FromYaml(const std::string& text) {
  const manifests::YamlFile file = manifests::ParseYaml(text);
  EXPECT_TRUE(file.errors.empty()) << text;
  return base::Document(file.documents.at(0));
}

// "http 10.88.0.2:8080 /ready tls a=b", "exec true", "nothing".
std::string Asked(const std::string& handler) {
  const base::Document document = FromYaml(
      "container: {name: main, ports: [{name: web, containerPort: 8080}]}\n"
      "handler: " +
      handler + "\n");
  const NodeFacts node;
  const PodContext context{node, {}, nullptr, true, "10.88.0.2"};
  const Check check = CheckOf(context, document.root()["container"], document.root()["handler"]);
  std::string text;
  switch (check.kind) {
    case Check::Kind::kNone: return "nothing";
    case Check::Kind::kExec:
      text = "exec";
      for (const std::string& word : check.command) text += " " + word;
      return text;
    case Check::Kind::kSleep: return "sleep " + std::to_string(check.sleep.seconds());
    case Check::Kind::kTcp: text = "tcp "; break;
    case Check::Kind::kHttp: text = "http "; break;
    case Check::Kind::kGrpc: text = "grpc "; break;
  }
  text += check.host + ":" + std::to_string(check.port);
  if (!check.path.empty()) text += " " + check.path;
  if (check.tls) text += " tls";
  if (!check.service.empty()) text += " " + check.service;
  for (const auto& [name, value] : check.headers) text += " " + name + "=" + value;
  return text;
}

TEST(ProbeTest, EachHandlerAsksWhatTheApiSays) {
  const struct {
    const char* handler;
    const char* asked;
  } kCases[] = {
      {"{exec: {command: [test, -e, /x]}}", "exec test -e /x"},
      {"{httpGet: {port: 80}}", "http 10.88.0.2:80 /"},
      {"{httpGet: {port: web, path: ready, host: 10.0.0.9, scheme: HTTPS, "
       "httpHeaders: [{name: a, value: b}]}}",
       "http 10.0.0.9:8080 /ready tls a=b"},
      {"{tcpSocket: {port: web}}", "tcp 10.88.0.2:8080"},
      {"{tcpSocket: {port: none}}", "tcp 10.88.0.2:0"},
      {"{tcpSocket: {port: 70000}}", "tcp 10.88.0.2:0"},
      {"{grpc: {port: 9000}}", "grpc 10.88.0.2:9000"},
      {"{grpc: {port: 9000, service: shop}}", "grpc 10.88.0.2:9000 shop"},
      {"{sleep: {seconds: 5}}", "sleep 5"},
      {"{}", "nothing"},
  };
  for (const auto& [handler, asked] : kCases) EXPECT_EQ(Asked(handler), asked) << handler;
}

}  // namespace
}  // namespace nodeagent

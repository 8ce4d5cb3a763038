#include "state/api/testing/test_api.h"

#include <gtest/gtest.h>

#include "manifests/wire/protobuf.h"
#include "manifests/yaml/yaml.h"
#include "state/api/status.h"

namespace state {

Answer TestApi::Ask(std::string_view method, std::string_view target, std::string_view body,
                    std::string_view content_type) {
  base::HttpRequest request;
  request.method = method;
  const base::Status parsed = base::ParseTarget(target, request);
  EXPECT_TRUE(parsed.ok()) << parsed.ToString();
  request.identity = identity;
  if (!accept.empty()) request.headers["accept"] = accept;
  if (!body.empty()) {
    request.headers["content-type"] = content_type;
    request.body = body;
    const bool is_yaml = body.front() != '{' && body.front() != '[';
    if (is_yaml && content_type != manifests::kProtobufType) {
      const manifests::YamlFile file = manifests::ParseYaml(body);
      if (file.documents.size() == 1) request.body = file.documents[0].ToString();
    }
  }
  return api.Handle(request, cluster.store().view(), cluster.Context());
}

base::HttpResponse TestApi::Send(std::string_view method, std::string_view target,
                                 std::string_view body, std::string_view content_type) {
  Answer answer = Ask(method, target, body, content_type);
  if (const auto* response = std::get_if<Response>(&answer)) return response->http;
  auto* write = std::get_if<Proposed>(&answer);
  if (write == nullptr) return base::FailureResponse(500, "Test", "not a response");
  const auto committed = cluster.store().Commit(write->transaction);
  if (!committed.ok()) return FailureAnswer(committed.status(), About());
  cluster.Settle();
  return write->render(*committed);
}

std::string TestApi::Do(std::string_view method, std::string_view target, std::string_view body,
                        std::string_view content_type) {
  const base::HttpResponse response = Send(method, target, body, content_type);
  return std::to_string(response.status) + " " + response.body;
}

std::string TestApi::Outcome(std::string_view method, std::string_view target,
                             std::string_view body, std::string_view content_type) {
  const base::HttpResponse response = Send(method, target, body, content_type);
  std::string outcome = std::to_string(response.status);
  if (response.status < 400) return outcome;
  const auto json = base::ParseJson(response.body);
  if (!json.ok()) return outcome + " " + response.body;
  const base::Json& status = *json;
  return outcome + " " + std::string(status["reason"].AsString()) + ": " +
         std::string(status["message"].AsString());
}

std::string TestApi::NamesIn(const base::HttpResponse& response) {
  const auto parsed = base::ParseJson(response.body);
  if (!parsed.ok()) return response.body;
  const base::Json& list = *parsed;
  std::string names;
  for (const base::Json& item : list["items"].Elements()) {
    names += (names.empty() ? "" : " ") + std::string(item["metadata"]["name"].AsString());
  }
  return names;
}

}  // namespace state

// TestApi: the API over a TestCluster, in one line a request.
#pragma once

#include <string>
#include <string_view>

#include "state/api/api.h"
#include "state/testing/test_cluster.h"

namespace state {

class TestApi {
 public:
  explicit TestApi(manifests::SchemaPtr schema = manifests::Schema::BuiltIn())
      : cluster(1, std::move(schema)), api(VersionInfo()) {}

  // A body that begins with "{" or "[" is sent as it is, any other is read as YAML first.
  Answer Ask(std::string_view method, std::string_view target, std::string_view body = {},
             std::string_view content_type = "application/json");
  // The same, with the answer's transaction committed: "201 {...}".
  std::string Do(std::string_view method, std::string_view target, std::string_view body = {},
                 std::string_view content_type = "application/json");
  // The response of Do; its parsed body.
  base::HttpResponse Send(std::string_view method, std::string_view target,
                          std::string_view body = {},
                          std::string_view content_type = "application/json");
  // "404 NotFound: pods \"x\" not found" of a failure, "200" of a success.
  std::string Outcome(std::string_view method, std::string_view target, std::string_view body = {},
                      std::string_view content_type = "application/json");
  // Names in the items of a list, separated by spaces.
  static std::string NamesIn(const base::HttpResponse& response);

  TestCluster cluster;
  Api api;
  base::Identity identity{"admin", {"plumb:admin"}};
  std::string accept;
};

}  // namespace state

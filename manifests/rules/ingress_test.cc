// Ingresses and their classes, as Kubernetes checks them.
#include <gtest/gtest.h>

#include "manifests/validate.h"
#include "manifests/yaml/yaml.h"

namespace manifests {
namespace {

// "field: message" a line; the warnings after the errors, with "warning: ".
std::string Check(std::string_view kind_name, std::string_view spec,
                  std::string_view annotations = "{}") {
  const std::string text = "apiVersion: networking.k8s.io/v1\nkind: " + std::string(kind_name) +
                           "\nmetadata: {name: a, annotations: " + std::string(annotations) +
                           "}\nspec: " + std::string(spec) + "\n";
  const YamlFile file = ParseYaml(text);
  for (const auto& error : file.errors) ADD_FAILURE() << error.message << "\n" << text;
  base::Json object = file.documents.at(0);
  const Kind* kind = Schema::BuiltIn()->FindKind("networking.k8s.io/v1", kind_name);
  ApplyDefaults(*kind, object);
  const Findings findings = Validate(*kind, object, UnknownFields::kError);
  std::string shown;
  for (const Problem& problem : findings.errors) {
    shown += problem.field + ": " + problem.message + "\n";
  }
  for (const Problem& problem : findings.warnings) {
    shown += "warning: " + problem.field + ": " + problem.message + "\n";
  }
  return shown;
}

const std::string kWarning = "warning: kind: accepted, but plumb does not act on this kind yet\n";

// Of an Ingress with one path; without the warning.
std::string Path(std::string_view path) {
  const std::string shown =
      Check("Ingress", "{rules: [{http: {paths: [{" + std::string(path) +
                           ", backend: {service: {name: web, port: {number: 80}}}}]}}]}");
  return shown.substr(0, shown.size() - kWarning.size());
}

TEST(IngressRulesTest, AWholeOneIsAcceptedWithAWarning) {
  EXPECT_EQ(Check("Ingress", R"({ingressClassName: gateway,
  defaultBackend: {resource: {apiGroup: example.com, kind: Bucket, name: b}},
  tls: [{hosts: [a.example, "*.b.example"], secretName: cert}],
  rules: [{host: a.example, http: {paths: [
    {path: /, pathType: Prefix, backend: {service: {name: web, port: {name: http}}}},
    {pathType: ImplementationSpecific, backend: {service: {name: web, port: {number: 80}}}}]}},
    {host: "*.b.example"}]})"),
            kWarning);
}

TEST(IngressRulesTest, ItLeadsSomewhere) {
  EXPECT_EQ(Check("Ingress", "{}"), "spec: needs rules or a defaultBackend\n" + kWarning);
  EXPECT_EQ(Check("Ingress", "{rules: [{http: {paths: []}}]}"),
            "spec.rules[0].http.paths: must not be empty\n" + kWarning);
}

TEST(IngressRulesTest, AHostIsAName) {
  const auto host = [](std::string_view name) {
    const std::string shown = Check("Ingress", "{rules: [{host: '" + std::string(name) + "'}]}");
    return shown == kWarning ? "" : shown.substr(0, shown.find(' '));
  };
  EXPECT_EQ(host("a.example"), "");
  EXPECT_EQ(host("*.a.example"), "");
  for (const char* wrong : {"10.0.0.1", "::1", "a.*.example", "*", "*.", "*.*.a", "A.example"}) {
    EXPECT_EQ(host(wrong), "spec.rules[0].host:") << wrong;
  }
  EXPECT_EQ(Check("Ingress",
                  "{defaultBackend: {resource: {kind: A, name: b}}, tls: [{hosts: "
                  "[a.example, 10.0.0.1]}]}"),
            "spec.tls[0].hosts[1]: must be a DNS name, not an IP address\n" + kWarning);
}

TEST(IngressRulesTest, APathIsAbsoluteAndClear) {
  EXPECT_EQ(Path("path: /a/b, pathType: Exact"), "");
  EXPECT_EQ(Path("path: a, pathType: Exact"),
            "spec.rules[0].http.paths[0].path: must begin with '/'\n");
  EXPECT_EQ(Path("pathType: Prefix"), "spec.rules[0].http.paths[0].path: must begin with '/'\n");
  EXPECT_EQ(Path("path: /a//b, pathType: Prefix"),
            "spec.rules[0].http.paths[0].path: must not contain //\n");
  EXPECT_EQ(Path("path: /a/.., pathType: Prefix"),
            "spec.rules[0].http.paths[0].path: must not end with a step . or ..\n");
  EXPECT_EQ(Path("path: /a%2Fb, pathType: Exact"),
            "spec.rules[0].http.paths[0].path: must not contain %2F\n");
  EXPECT_EQ(Path("path: '/a//(.*)', pathType: ImplementationSpecific"), "");
  EXPECT_EQ(Path("path: a, pathType: ImplementationSpecific"),
            "spec.rules[0].http.paths[0].path: must begin with '/'\n");
  EXPECT_EQ(Path("path: /"), "spec.rules[0].http.paths[0].pathType: is required; add it\n");
}

TEST(IngressRulesTest, ABackendIsOneThingWithOnePort) {
  const auto backend = [](std::string_view text) {
    const std::string shown = Check("Ingress", "{defaultBackend: {" + std::string(text) + "}}");
    return shown.substr(0, shown.size() - kWarning.size());
  };
  EXPECT_EQ(backend("service: {name: web, port: {number: 80}}"), "");
  EXPECT_EQ(backend(""), "spec.defaultBackend: needs one of service and resource\n");
  EXPECT_EQ(backend("service: {name: web, port: {number: 80}}, resource: {kind: A, name: b}"),
            "spec.defaultBackend: needs one of service and resource\n");
  EXPECT_EQ(backend("service: {name: web}"),
            "spec.defaultBackend.service.port: needs one of name and number\n");
  EXPECT_EQ(backend("service: {name: web, port: {name: http, number: 80}}"),
            "spec.defaultBackend.service.port: needs one of name and number\n");
}

TEST(IngressRulesTest, TheClassIsSaidOnce) {
  EXPECT_EQ(
      Check("Ingress", "{ingressClassName: a, defaultBackend: {resource: {kind: A, name: b}}}",
            "{kubernetes.io/ingress.class: b}"),
      "spec.ingressClassName: the annotation kubernetes.io/ingress.class says the same in "
      "the old way; remove it\n" +
          kWarning);
}

TEST(IngressClassRulesTest, ItsControllerIsAPathBelowADomain) {
  const std::string wrong =
      "spec.controller: must be a path below a domain, like \"example.com/gateway\"\n" + kWarning;
  EXPECT_EQ(Check("IngressClass", "{controller: example.com/gateway}"), kWarning);
  EXPECT_EQ(Check("IngressClass", "{controller: gateway}"), wrong);
  EXPECT_EQ(Check("IngressClass", "{controller: Example/gateway}"), wrong);
  EXPECT_EQ(Check("IngressClass", "{controller: example.com/}"), wrong);
}

TEST(IngressClassRulesTest, ParametersAreInANamespaceIfTheirScopeSaysSo) {
  const auto with = [](std::string_view more) {
    return Check("IngressClass", "{controller: a.example/b, parameters: {kind: A, name: b" +
                                     std::string(more) + "}}");
  };
  EXPECT_EQ(with(""), kWarning);
  EXPECT_EQ(with(", scope: Namespace, namespace: shop"), kWarning);
  EXPECT_EQ(with(", scope: Namespace"),
            "spec.parameters.namespace: the scope Namespace needs one\n" + kWarning);
  EXPECT_EQ(with(", namespace: shop"),
            "spec.parameters.namespace: needs the scope Namespace\n" + kWarning);
}

}  // namespace
}  // namespace manifests

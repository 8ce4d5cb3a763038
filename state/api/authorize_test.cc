// Roles, as requests that are let in or not.
#include <gtest/gtest.h>

#include "state/api/request_access.h"
#include "state/api/testing/test_api.h"
#include "state/own_secrets.h"

namespace state {
namespace {

class AuthorizeTest : public testing::Test {
 protected:
  AuthorizeTest() {
    api_.cluster.AddNode("n1");
    api_.cluster.AddNode("n2");
    api_.cluster.Apply(R"(
apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
  containers: [{name: c, image: i, envFrom: [{secretRef: {name: used}}]}]
  volumes: [{name: v, configMap: {name: settings}}]
)");
    api_.cluster.Bind("default", "p", "n1");
    for (const char* name : {"used", "other"}) {
      api_.cluster.Apply("{apiVersion: v1, kind: Secret, metadata: {name: " + std::string(name) +
                         "}}");
    }
    api_.cluster.Apply("{apiVersion: v1, kind: ConfigMap, metadata: {name: settings}}");
  }

  static bool IsForbidden(const Answer& answer) {
    const auto* response = std::get_if<Response>(&answer);
    return response != nullptr && response->http.status == 403;
  }
  // "yes", or "no" for 403; for each line "METHOD path" of `requests`.
  std::string May(base::Identity identity, std::initializer_list<std::string_view> requests) {
    api_.identity = std::move(identity);
    std::string answers;
    for (const std::string_view line : requests) {
      const size_t space = line.find(' ');
      const Answer answer =
          api_.Ask(line.substr(0, space), line.substr(space + 1), R"({"metadata":{"name":"n2"}})");
      answers += IsForbidden(answer) ? "no " : "yes ";
    }
    return answers;
  }

  TestApi api_;
};

constexpr std::string_view kDefault = "/api/v1/namespaces/default";

TEST_F(AuthorizeTest, NobodySeesOnlyVersionAndHealth) {
  EXPECT_EQ(May({}, {"GET /version", "GET /readyz", "GET /apis", "GET /api/v1/pods"}),
            "yes yes no no ");
  EXPECT_EQ(api_.Outcome("GET", "/api/v1/namespaces/default/pods"),
            "403 Forbidden: pods is forbidden: User \"system:anonymous\" cannot list resource "
            "\"pods\" in API group \"\" in the namespace \"default\"");
  EXPECT_EQ(api_.Outcome("GET", "/apis"),
            "403 Forbidden: forbidden: User \"system:anonymous\" cannot get path \"/apis\"");
}

TEST_F(AuthorizeTest, ViewersReadAllButSecrets) {
  EXPECT_EQ(
      May({"eve", {"plumb:viewer"}},
          {"GET /apis", "GET /api/v1/pods", "GET /api/v1/nodes", "GET /api/v1/secrets",
           "GET /api/v1/namespaces/default/pods/p/log", "DELETE /api/v1/namespaces/default/pods/p",
           "GET /api/v1/namespaces/default/pods/p/exec?command=ls"}),
      "yes yes yes no yes no no ");
}

TEST_F(AuthorizeTest, DeployersWriteInNamespacesOnly) {
  EXPECT_EQ(
      May({"dan", {"plumb:deployer"}},
          {"GET /api/v1/namespaces/default/secrets", "POST /api/v1/namespaces/default/configmaps",
           "POST /api/v1/namespaces/default/secrets",
           "POST /api/v1/namespaces/kube-system/configmaps", "POST /api/v1/nodes",
           "DELETE /api/v1/namespaces/default", "POST /api/v1/namespaces/default/pods/p/binding",
           "GET /api/v1/namespaces/default/pods/p/exec?command=ls",
           "GET /api/v1/namespaces/kube-system/pods/p/exec?command=ls"}),
      "yes yes no no no no no yes no ");
}

TEST_F(AuthorizeTest, WhatStandsInTheSystemsNamespaceOnlyAdministratorsWrite) {
  const std::string in = "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/plumb-system/";
  const std::string of = in + "kustomizations";
  const std::initializer_list<std::string> requests = {
      "GET " + of,
      "PATCH " + of + "/shop",
      "PATCH " + of + "/shop/status",
      "DELETE " + of + "/shop",
      "POST " + of,
      "PUT /apis/plumb.dev/v1/namespaces/plumb-system/inventories/shop",
      "POST /apis/plumb.dev/v1/namespaces/plumb-system/deliveries",
      "POST /api/v1/namespaces/plumb-system/configmaps",
      "POST /api/v1/namespaces/plumb-system/pods/p/exec?command=ls"};
  const auto may = [&](base::Identity identity) {
    std::string answers;
    for (const std::string& request : requests) answers += May(identity, {request});
    return answers;
  };
  EXPECT_EQ(may({"dan", {"plumb:deployer"}}), "yes no no no no no no no no ");
  EXPECT_EQ(may({"root", {"plumb:admin"}}), "yes yes yes yes yes yes yes yes yes ");
}

TEST_F(AuthorizeTest, SecretsOfTheSystemAreForAdministrators) {
  const std::initializer_list<std::string_view> requests = {
      "GET /api/v1/secrets", "GET /api/v1/secrets?fieldSelector=metadata.namespace%3Ddefault",
      "GET /api/v1/namespaces/plumb-system/secrets",
      "GET /api/v1/namespaces/plumb-system/secrets/plumb.ca",
      "GET /api/v1/namespaces/plumb-system/secrets/hook"};
  EXPECT_EQ(May({"dan", {"plumb:deployer"}}, requests), "no no no no no ");
  EXPECT_EQ(May({"eve", {"plumb:viewer"}}, requests), "no no no no no ");
  EXPECT_EQ(May({"root", {"plumb:admin"}}, requests), "yes yes yes yes yes ");
}

TEST_F(AuthorizeTest, NoNodeGetsASecretOfPlumbItself) {
  api_.cluster.AddNamespace("plumb-system");
  DraftContext context = api_.cluster.Context();
  context.actor = VaultActor();
  Draft draft(api_.cluster.store().view(), context);
  for (const char* name : {"plumb.ca", "other"}) {
    ASSERT_TRUE(
        draft
            .Create(*base::ParseJson(R"({"apiVersion":"v1","kind":"Secret","metadata":{"name":")" +
                                     std::string(name) + R"(","namespace":"plumb-system"}})"))
            .ok());
  }
  ASSERT_TRUE(api_.cluster.store().Commit(draft.Finish()).ok());
  api_.cluster.Apply(R"(
apiVersion: v1
kind: Pod
metadata: {name: thief, namespace: plumb-system}
spec:
  containers: [{name: c, image: i, envFrom: [{secretRef: {name: other}}]}]
  volumes: [{name: v, secret: {secretName: plumb.ca}}]
)");
  api_.cluster.Bind("plumb-system", "thief", "n1");
  EXPECT_EQ(May({"system:node:n1", {"system:nodes"}},
                {"GET /api/v1/namespaces/plumb-system/secrets/other",
                 "GET /api/v1/namespaces/plumb-system/secrets/plumb.ca"}),
            "yes no ");
}

TEST_F(AuthorizeTest, NodesTouchOnlyWhatIsTheirs) {
  const base::Identity n1{"system:node:n1", {"system:nodes"}};
  EXPECT_EQ(May(n1, {"GET /api/v1/pods", "GET /api/v1/pods?fieldSelector=spec.nodeName%3Dn1",
                     "GET /api/v1/pods?fieldSelector=spec.nodeName%3Dn2",
                     "PATCH /api/v1/namespaces/default/pods/p/status",
                     "PATCH /api/v1/namespaces/default/pods/p"}),
            "no yes no yes no ");
  EXPECT_EQ(May(n1, {"GET /api/v1/namespaces/default/secrets/used",
                     "GET /api/v1/namespaces/default/secrets/other", "GET /api/v1/secrets",
                     "GET /api/v1/namespaces/default/configmaps/settings"}),
            "yes no no yes ");
  EXPECT_EQ(May(n1, {"PATCH /api/v1/nodes/n1/status", "PATCH /api/v1/nodes/n2/status",
                     "POST /api/v1/nodes", "DELETE /api/v1/nodes/n1"}),
            "yes no no no ");
  const base::Identity n2{"system:node:n2", {"system:nodes"}};
  EXPECT_EQ(May(n2, {"GET /api/v1/namespaces/default/secrets/used",
                     "PATCH /api/v1/namespaces/default/pods/p/status", "POST /api/v1/nodes"}),
            "no no yes ");
}

TEST_F(AuthorizeTest, ANodeWritesOfItsNodeLabelsAndStatusOnly) {
  api_.identity = {"system:node:n1", {"system:nodes"}};
  const auto patch = [&](const std::string& body) {
    return api_.Outcome("PATCH", "/api/v1/nodes/n1", body, "application/merge-patch+json");
  };
  const auto denied = [](const std::string& what) {
    return "403 Forbidden: nodes \"n1\" is forbidden: node \"n1\" is not allowed to " + what +
           "; an administrator can";
  };
  EXPECT_EQ(patch(R"({"metadata":{"labels":{"disk":"fast","kubernetes.io/arch":"amd64"}}})"),
            "200");
  EXPECT_EQ(patch(R"({"metadata":{"labels":{"node-restriction.kubernetes.io/tier":"secret"}}})"),
            denied("set or remove its label node-restriction.kubernetes.io/tier"));
  EXPECT_EQ(patch(R"({"metadata":{"labels":{"node-role.kubernetes.io/control-plane":""}}})"),
            denied("set or remove its label node-role.kubernetes.io/control-plane"));
  EXPECT_EQ(patch(R"({"metadata":{"finalizers":["example.org/stay"]}})"),
            denied("change its metadata.finalizers"));
  EXPECT_EQ(patch(R"({"spec":{"taints":[{"key":"a","effect":"NoSchedule"}]}})"),
            denied("change its spec.taints"));
  EXPECT_EQ(patch(R"({"spec":{"podCIDR":"128.0.0.0/1","podCIDRs":["128.0.0.0/1"]}})"),
            denied("change its spec.podCIDR"));

  api_.identity = {"root", {"plumb:admin"}};
  EXPECT_EQ(patch(R"({"metadata":{"labels":{"node-restriction.kubernetes.io/tier":"db"}},
                      "spec":{"unschedulable":true}})"),
            "200");
  api_.identity = {"system:node:n1", {"system:nodes"}};
  EXPECT_EQ(patch(R"({"metadata":{"labels":{"node-restriction.kubernetes.io/tier":null}}})"),
            denied("set or remove its label node-restriction.kubernetes.io/tier"));
  EXPECT_EQ(patch(R"({"spec":{"unschedulable":null}})"), denied("change its spec.unschedulable"));
  EXPECT_EQ(api_.Outcome("PUT", "/api/v1/nodes/n1", R"({"metadata":{"name":"n1"}})"),
            denied("set or remove its label node-restriction.kubernetes.io/tier"));
  EXPECT_EQ(api_.Outcome("PATCH", "/api/v1/nodes/n1?fieldManager=n1&force=true",
                         R"({"apiVersion":"v1","kind":"Node","metadata":{"name":"n1"},)"
                         R"("spec":{"providerID":"x"}})",
                         "application/apply-patch+yaml"),
            denied("change its spec.providerID"));

  api_.identity = {"system:node:n9", {"system:nodes"}};
  EXPECT_EQ(api_.Outcome("POST", "/api/v1/nodes",
                         R"({"metadata":{"name":"n9"},"spec":{"podCIDR":"10.88.7.0/24"}})"),
            "403 Forbidden: nodes \"n9\" is forbidden: node \"n9\" is not allowed to change its "
            "spec.podCIDR; an administrator can");
  EXPECT_EQ(api_.Outcome("POST", "/api/v1/nodes", R"({"metadata":{"name":"n9"}})"), "201");
}

TEST_F(AuthorizeTest, APodRangeIsGivenByPlumbAlone) {
  api_.identity = {"root", {"plumb:admin"}};
  EXPECT_EQ(api_.Outcome("POST", "/api/v1/nodes",
                         R"({"metadata":{"name":"n9"},"spec":{"podCIDR":"10.88.7.0/24"}})"),
            "403 Forbidden: nodes \"n9\" is forbidden: spec.podCIDR: Forbidden: plumb gives each "
            "node its range; leave it as it is");
  api_.cluster.Apply(
      "{apiVersion: v1, kind: Node, metadata: {name: n9}, spec: {podCIDR: 10.88.7.0/24}}");
  const auto patch = [&](const std::string& body) {
    return api_.Outcome("PATCH", "/api/v1/nodes/n9", body, "application/merge-patch+json")
        .substr(0, 3);
  };
  EXPECT_EQ(patch(R"({"spec":{"podCIDR":"10.88.8.0/24"}})"), "403");
  EXPECT_EQ(patch(R"({"spec":{"podCIDR":null}})"), "403");
  EXPECT_EQ(patch(R"({"spec":{"podCIDR":"10.88.7.0/24","unschedulable":true}})"), "200");
}

}  // namespace
}  // namespace state

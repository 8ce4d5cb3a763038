#include "manifests/schema.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "manifests/ignored.h"

namespace manifests {
namespace {

std::string ErrorOf(std::string_view text) {
  const auto schema = Schema::Load({{"t.yaml", text}});
  return schema.ok() ? "OK" : std::string(schema.status().message());
}

TEST(SchemaTest, BuiltInHasTheKindsInAFixedOrder) {
  std::string kinds;
  for (const Kind* kind : Schema::BuiltIn()->kinds()) {
    kinds += kind->ApiVersion() + " " + kind->kind + " " + kind->Resource() +
             (kind->namespaced ? "" : " (cluster)") + "\n";
  }
  EXPECT_EQ(kinds,
            "v1 ConfigMap configmaps\n"
            "v1 Event events\n"
            "v1 LimitRange limitranges\n"
            "v1 Namespace namespaces (cluster)\n"
            "v1 Node nodes (cluster)\n"
            "v1 Pod pods\n"
            "v1 ReplicationController replicationcontrollers\n"
            "v1 ResourceQuota resourcequotas\n"
            "v1 Secret secrets\n"
            "v1 ServiceAccount serviceaccounts\n"
            "v1 Service services\n"
            "apps/v1 ControllerRevision controllerrevisions.apps\n"
            "apps/v1 DaemonSet daemonsets.apps\n"
            "apps/v1 Deployment deployments.apps\n"
            "apps/v1 ReplicaSet replicasets.apps\n"
            "coordination.k8s.io/v1 Lease leases.coordination.k8s.io\n"
            "discovery.k8s.io/v1 EndpointSlice endpointslices.discovery.k8s.io\n"
            "kustomize.toolkit.fluxcd.io/v1 Kustomization "
            "kustomizations.kustomize.toolkit.fluxcd.io\n"
            "networking.k8s.io/v1 IngressClass ingressclasses.networking.k8s.io (cluster)\n"
            "networking.k8s.io/v1 Ingress ingresses.networking.k8s.io\n"
            "notification.toolkit.fluxcd.io/v1beta3 Alert alerts.notification.toolkit.fluxcd.io\n"
            "notification.toolkit.fluxcd.io/v1beta3 Provider "
            "providers.notification.toolkit.fluxcd.io\n"
            "plumb.dev/v1 Delivery deliveries.plumb.dev\n"
            "plumb.dev/v1 Inventory inventories.plumb.dev\n"
            "source.toolkit.fluxcd.io/v1 GitRepository gitrepositories.source.toolkit.fluxcd.io\n");
}

TEST(SchemaTest, AKindIsFoundByEachOfItsNames) {
  const auto schema = Schema::BuiltIn();
  const Kind* deployment = schema->FindKind("apps/v1", "Deployment");
  ASSERT_NE(deployment, nullptr);
  EXPECT_EQ(schema->FindResource("apps", "v1", "deployments"), deployment);
  EXPECT_EQ(schema->FindByResource("deployments.apps"), deployment);
  EXPECT_EQ(schema->FindResource("", "v1", "pods"), schema->FindKind("v1", "Pod"));
  EXPECT_EQ(schema->FindKind("v1", "Deployment"), nullptr);
  EXPECT_EQ(schema->FindKind("apps/v1", "Deploy"), nullptr);
  EXPECT_EQ(schema->FindByResource("deployments"), nullptr);
}

TEST(SchemaTest, APodsContainersMergeByName) {
  const Message* spec = Schema::BuiltIn()->FindMessage("core/v1", "PodSpec");
  ASSERT_NE(spec, nullptr);
  const Field* containers = spec->Find("containers");
  ASSERT_NE(containers, nullptr);
  EXPECT_EQ(containers->number, 2u);
  EXPECT_EQ(containers->shape, Shape::kList);
  EXPECT_EQ(containers->list_type, ListType::kMap);
  EXPECT_EQ(containers->list_keys, std::vector<std::string>{"name"});
  EXPECT_TRUE(containers->patch_merge);
  EXPECT_EQ(containers->patch_merge_key, "name");
  EXPECT_EQ(containers->message->name, "Container");
  EXPECT_EQ(spec->Find("nodeSelector")->list_type, ListType::kAtomic);
}

TEST(SchemaTest, AnInlinedMessagesFieldsAreFoundInItsParent) {
  const Message* volume = Schema::BuiltIn()->FindMessage("core/v1", "Volume");
  ASSERT_NE(volume->Find("configMap"), nullptr);
  EXPECT_EQ(volume->Find("configMap")->number, 19u);
  EXPECT_EQ(volume->Find("VolumeSource"), nullptr);
}

// Inlined messages have a number too: their wire form is a message of its own.
TEST(SchemaTest, EveryFieldOfKubernetesHasAWireNumber) {
  std::string missing;
  std::vector<const Message*> todo;
  std::vector<const Message*> seen;
  for (const Kind* kind : Schema::BuiltIn()->kinds()) {
    const bool foreign = kind->group.ends_with("fluxcd.io") || kind->group == "plumb.dev";
    if (!foreign) todo.push_back(kind->root);
  }
  while (!todo.empty()) {
    const Message* message = todo.back();
    todo.pop_back();
    if (std::find(seen.begin(), seen.end(), message) != seen.end()) continue;
    seen.push_back(message);
    for (const Field& field : message->fields) {
      if (field.number == 0) missing += message->name + "." + field.name + " ";
      if (field.message != nullptr) todo.push_back(field.message);
    }
  }
  EXPECT_EQ(missing, "");
  EXPECT_GT(seen.size(), 150u);
}

TEST(SchemaTest, MessagesMayNameEachOtherInAnyOrderAndFile) {
  const auto schema =
      Schema::Load({{"a.yaml", "package: a/v1\nmessages:\n  A:\n    b: {type: b/v1.B}\n"},
                    {"b.yaml",
                     "package: b/v1\nmessages:\n  B:\n    colour: {type: Colour, default: red}\n"
                     "enums:\n  Colour: [red, blue]\n"}});
  ASSERT_TRUE(schema.ok()) << schema.status().ToString();
  const Field* colour = (*schema)->FindMessage("a/v1", "A")->Find("b")->message->Find("colour");
  EXPECT_EQ(colour->enum_values, (std::vector<std::string>{"red", "blue"}));
  EXPECT_EQ(colour->default_value, base::Json("red"));
}

TEST(SchemaTest, AMistakeIsReportedWithFileAndLine) {
  EXPECT_EQ(ErrorOf(""), "t.yaml:1: the file is empty");
  EXPECT_EQ(ErrorOf("messages: {}\n"), "t.yaml:1: the file names no package");
  EXPECT_EQ(ErrorOf("package: a/v1\nmesages: {}\n"), "t.yaml:2: unknown section mesages");
  EXPECT_EQ(ErrorOf("package: a/v1\nmessages:\n  A:\n    b: {type: Bee}\n"),
            "t.yaml:4: unknown type Bee");
  EXPECT_EQ(ErrorOf("package: a/v1\nmessages:\n  A:\n    b: {type: string, requird: true}\n"),
            "t.yaml:4: unknown attribute requird");
  EXPECT_EQ(ErrorOf("package: a/v1\nmessages:\n  A:\n    b: {type: int32, default: x}\n"),
            "t.yaml:4: the field b has a default that does not fit its type");
  EXPECT_EQ(ErrorOf("package: a/v1\nmessages:\n  A:\n    b: {type: string}\n    b: {type: bool}\n"),
            "t.yaml:5: the key b stands here twice");
  EXPECT_EQ(ErrorOf("package: a/v1\nmessages:\n  A:\n    b: {number: 1, type: string}\n"
                    "    c: {number: 1, type: string}\n"),
            "t.yaml:5: two fields have number 1");
  EXPECT_EQ(ErrorOf("package: a/v1\nmessages:\n  A:\n    b: {type: list A, keys: [id]}\n"),
            "t.yaml:4: the field b has no element field id");
  EXPECT_EQ(ErrorOf("package: a/v1\nmessages:\n  A:\n    b: {type: string, format: roman}\n"),
            "t.yaml:4: unknown format roman");
  EXPECT_EQ(ErrorOf("package: a/v1\napiVersion: a/v1\nkinds:\n  K: {plural: ks}\nmessages: {}\n"),
            "t.yaml:4: there is no message K");
  EXPECT_EQ(ErrorOf("package: [a\n").substr(0, 7), "t.yaml:");
}

TEST(IgnoredFieldsTest, ATableRowNamesTheShortestPathAndAllKinds) {
  const std::string table = IgnoredFieldsTable(*Schema::BuiltIn());
  EXPECT_NE(table.find("| `spec.hostUsers` | DaemonSet, Deployment, Pod, ReplicaSet, "
                       "ReplicationController | all of it |\n"),
            std::string::npos);
  EXPECT_NE(table.find("| `metadata.selfLink` | all | all of it |\n"), std::string::npos);
  EXPECT_EQ(table.find("template."), std::string::npos);
}

TEST(IgnoredFieldsTest, TheTableHoldsExactlyTheIgnoredFields) {
  const auto schema = Schema::Load(
      {{"t.yaml",
        "package: t/v1\napiVersion: t/v1\n"
        "kinds:\n  K: {plural: ks, scope: Cluster}\n  L: {plural: ls, scope: Cluster}\n"
        "messages:\n"
        "  M: {}\n"
        "  K:\n    metadata: {type: M}\n    spec: {type: S}\n    odd: {type: Odd, ignored: true}\n"
        "  L:\n    metadata: {type: M}\n    deep: {type: list K}\n"
        "  Odd:\n    inner: {type: string, ignored: true}\n"
        "  S:\n    a: {type: string}\n    b: {type: string, ignored: true}\n"
        "    c: {type: string, partly: it is slow, partlyFor: [x, y]}\n"
        "    d: {type: T, partly: it is late}\n"
        "  T:\n    e: {type: string, ignored: true}\n"}});
  ASSERT_TRUE(schema.ok()) << schema.status().ToString();
  EXPECT_EQ(IgnoredFieldsTable(**schema),
            "| Field | Kinds | Missing |\n|---|---|---|\n"
            "| `odd` | all | all of it |\n"
            "| `spec.b` | all | all of it |\n"
            "| `spec.c` | all | x, y: it is slow |\n"
            "| `spec.d` | all | it is late |\n"
            "| `spec.d.e` | all | all of it |\n");
}

// A test runs in the root of the source tree.
TEST(IgnoredFieldsTest, TheCommittedPageIsThatOfTheTables) {
  std::ifstream file("manifests/IGNORED.md");
  std::ostringstream text;
  text << file.rdbuf();
  EXPECT_EQ(text.str(), IgnoredFieldsPage(*Schema::BuiltIn()))
      << "manifests/IGNORED.md is stale; run `ninja -C build ignored` to write it anew";
}

TEST(SchemaTest, AnotherSchemaSharesWhatItIsMadeOf) {
  constexpr std::string_view kWidget =
      "package: example.com/v1\napiVersion: example.com/v1\n"
      "kinds:\n  Widget: {plural: widgets, singular: widget, scope: Cluster}\n"
      "messages:\n  Widget:\n    metadata: {number: 1, type: meta/v1.ObjectMeta}\n"
      "    policy: {number: 2, type: core/v1.PullPolicy}\n";
  const SchemaPtr built_in = Schema::BuiltIn();
  const auto more = built_in->With({{"widget.yaml", kWidget}});
  ASSERT_TRUE(more.ok()) << more.status().ToString();
  EXPECT_EQ((*more)->FindKind("v1", "Pod"), built_in->FindKind("v1", "Pod"));
  EXPECT_NE((*more)->FindKind("example.com/v1", "Widget"), nullptr);
  EXPECT_EQ(built_in->FindKind("example.com/v1", "Widget"), nullptr);
  EXPECT_EQ((*more)->kinds().size(), built_in->kinds().size() + 1);
  // What is made of a schema is kept by its version.
  EXPECT_NE((*more)->version(), built_in->version());
  EXPECT_EQ((*built_in->With({{"widget.yaml", kWidget}}))->version(), (*more)->version());
}

TEST(SchemaTest, OfSeveralVersionsOneIsStored) {
  const auto types = [](std::string version, std::string storage) {
    return "package: e/" + version + "\napiVersion: e/" + version +
           "\nkinds:\n  W: {plural: ws, singular: w, scope: Cluster, storage: " + storage +
           "}\nmessages:\n  W:\n    metadata: {number: 1, type: meta/v1.ObjectMeta}\n";
  };
  const std::string v1 = types("v1", "false"), v2 = types("v2", "true");
  const auto schema = Schema::BuiltIn()->With({{"a", v1}, {"b", v2}});
  ASSERT_TRUE(schema.ok()) << schema.status().ToString();
  EXPECT_EQ((*schema)->FindByResource("ws.e"), (*schema)->FindKind("e/v2", "W"));
  const std::string none = types("v2", "false");
  EXPECT_EQ(Schema::BuiltIn()->With({{"a", v1}, {"b", none}}).status().message(),
            "ws.e has several versions; one of them needs storage: true");
}

}  // namespace
}  // namespace manifests

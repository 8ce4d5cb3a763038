// Each test is a story: who applied or updated what, and what the object and its owners are then.
#include "manifests/apply/apply.h"

#include <gtest/gtest.h>

#include "manifests/yaml/yaml.h"

namespace manifests {
namespace {

using base::Json;

Json FromYaml(std::string_view yaml) {
  YamlFile file = ParseYaml(yaml);
  EXPECT_EQ(file.documents.size(), 1u) << yaml;
  return file.documents.empty() ? Json() : std::move(file.documents.front());
}

class ApplyTest : public testing::Test {
 protected:
  static const Message& Root() {
    return *Schema::BuiltIn()->FindKind("apps/v1", "Deployment")->root;
  }
  FieldManager Manager(std::string name, bool applies, std::string subresource = "") {
    return {std::move(name), applies, "apps/v1", std::move(subresource)};
  }
  base::WallTime Now() { return base::WallTime::FromSeconds(++seconds_); }

  // "OK", or the conflict.
  std::string Apply(const std::string& manager, std::string_view yaml, bool force = false) {
    const Json configuration = FromYaml(yaml);
    auto applied = manifests::Apply(
        {Root(), object_, configuration, Manager(manager, true), force, Now(), ""}, entries_);
    if (!applied.ok()) return std::string(applied.status().message());
    object_ = std::move(applied->object);
    entries_ = std::move(applied->entries);
    return "OK";
  }
  void Update(const std::string& manager, std::string_view yaml, std::string subresource = "") {
    Json object = FromYaml(yaml);
    entries_ = AfterUpdate(entries_, Manager(manager, false, std::move(subresource)),
                           CompareFields(Root(), object_, object), Now());
    object_ = std::move(object);
  }
  // The object, then each manager with what it owns.
  std::string Story() const {
    std::string text = ToYaml(object_);
    for (const ManagedEntry& entry : entries_) {
      text += entry.manager->name + (entry.manager->applies ? " applies" : " updates");
      if (!entry.manager->subresource.empty()) text += " " + entry.manager->subresource;
      text += ":";
      for (const std::string& path : entry.fields->Paths()) text += " " + path;
      text += "\n";
    }
    return text;
  }

  Json object_;
  ManagedFields entries_;
  int64_t seconds_ = 0;
};

TEST_F(ApplyTest, TheFirstApplyOwnsWhatItNames) {
  EXPECT_EQ(Apply("kubectl", "metadata: {name: web, labels: {app: web}}\nspec: {replicas: 2}\n"),
            "OK");
  EXPECT_EQ(Story(),
            "metadata:\n"
            "  labels:\n"
            "    app: web\n"
            "  name: web\n"
            "spec:\n"
            "  replicas: 2\n"
            "kubectl applies: .metadata.labels.app .spec.replicas\n");
}

TEST_F(ApplyTest, AnotherValueIsAConflictTheSameOneIsShared) {
  Apply("a", "spec: {replicas: 2, paused: true}\n");
  EXPECT_EQ(Apply("b", "spec: {replicas: 3}\n"),
            "Apply failed with 1 conflict: conflict with \"a\": .spec.replicas");
  EXPECT_EQ(Apply("b", "spec: {replicas: 2}\n"), "OK");
  EXPECT_EQ(Story(),
            "spec:\n"
            "  paused: true\n"
            "  replicas: 2\n"
            "a applies: .spec.paused .spec.replicas\n"
            "b applies: .spec.replicas\n");
}

TEST_F(ApplyTest, ConflictsNameTheManagerAsKubectlShowsIt) {
  Update("kubectl-client-side-apply", "spec: {replicas: 2, paused: true}\n");
  Update("scaler", "spec: {replicas: 4, paused: true}\n", "scale");
  EXPECT_EQ(Apply("helm", "spec: {replicas: 3}\n"),
            "Apply failed with 1 conflict: conflict with \"scaler\" with subresource \"scale\" "
            "using apps/v1: .spec.replicas");
  EXPECT_EQ(Apply("helm", "spec: {replicas: 3, paused: false}\n"),
            "Apply failed with 2 conflicts: conflicts with \"kubectl-client-side-apply\" using "
            "apps/v1:\n- .spec.paused\n"
            "conflicts with \"scaler\" with subresource \"scale\" using apps/v1:\n"
            "- .spec.replicas");
}

TEST_F(ApplyTest, ForceTakesTheFieldFromItsOwner) {
  Apply("a", "spec: {replicas: 2, paused: true}\n");
  EXPECT_EQ(Apply("b", "spec: {replicas: 3}\n", true), "OK");
  EXPECT_EQ(Story(),
            "spec:\n"
            "  paused: true\n"
            "  replicas: 3\n"
            "a applies: .spec.paused\n"
            "b applies: .spec.replicas\n");
}

TEST_F(ApplyTest, WhatIsNamedNoMoreIsRemovedUnlessOthersOwnIt) {
  Apply("a", "metadata: {labels: {one: '1', two: '2'}}\nspec: {replicas: 2, paused: true}\n");
  Apply("b", "metadata: {labels: {two: '2'}}\nspec: {replicas: 2}\n");
  EXPECT_EQ(Apply("a", "metadata: {annotations: {note: seen}}\n"), "OK");
  EXPECT_EQ(Story(),
            "metadata:\n"
            "  annotations:\n"
            "    note: seen\n"
            "  labels:\n"
            "    two: \"2\"\n"
            "spec:\n"
            "  replicas: 2\n"
            "b applies: .metadata.labels.two .spec.replicas\n"
            "a applies: .metadata.annotations.note\n");
}

TEST_F(ApplyTest, AnUpdateTakesWhatItChangesAndAManagerWithoutFieldsIsGone) {
  Apply("a", "spec: {replicas: 2}\n");
  Update("kubectl-edit", "spec: {replicas: 3, minReadySeconds: 5}\n");
  EXPECT_EQ(Story(),
            "spec:\n"
            "  minReadySeconds: 5\n"
            "  replicas: 3\n"
            "kubectl-edit updates: .spec.minReadySeconds .spec.replicas\n");
  Update("kubectl-edit", "spec: {}\n");
  EXPECT_EQ(Story(), "spec: {}\n");
}

constexpr char kTwoContainers[] = R"(
spec:
  template:
    spec:
      containers:
      - {name: web, image: web:1, env: [{name: A, value: a}], ports: [{containerPort: 80}]}
      - {name: log, image: log:1}
)";

TEST_F(ApplyTest, ListsWithKeysMergeByThem) {
  Apply("a", kTwoContainers);
  // The port's protocol is TCP by default, and so it is the same port.
  Update("defaults", R"(
spec:
  template:
    spec:
      containers:
      - name: web
        image: web:1
        imagePullPolicy: Always
        env: [{name: A, value: a}]
        ports: [{containerPort: 80, protocol: TCP}]
      - {name: log, image: log:1, imagePullPolicy: Always}
)");
  EXPECT_EQ(Apply("b", R"(
spec:
  template:
    spec:
      containers:
      - {name: proxy, image: proxy:1}
      - {name: web, ports: [{containerPort: 80, protocol: TCP, name: http}]}
)"),
            "OK");
  // What b names comes in its order; a's last container stays last.
  EXPECT_EQ(ToYaml(object_), R"(spec:
  template:
    spec:
      containers:
      - image: proxy:1
        name: proxy
      - env:
        - name: A
          value: a
        image: web:1
        imagePullPolicy: Always
        name: web
        ports:
        - containerPort: 80
          name: http
          protocol: TCP
      - image: log:1
        imagePullPolicy: Always
        name: log
)");
  // An element goes as a whole, with the fields that nobody applied.
  EXPECT_EQ(Apply("a", R"(
spec:
  template:
    spec:
      containers:
      - {name: web, image: web:2, ports: [{containerPort: 80}]}
)"),
            "OK");
  EXPECT_EQ(ToYaml(object_), R"(spec:
  template:
    spec:
      containers:
      - image: proxy:1
        name: proxy
      - image: web:2
        imagePullPolicy: Always
        name: web
        ports:
        - containerPort: 80
          name: http
          protocol: TCP
)");
}

TEST_F(ApplyTest, NewElementsStandBehindThoseThatTheManagerDoesNotName) {
  Apply("a", "spec: {template: {spec: {containers: [{name: one}, {name: two}]}}}\n");
  Apply("b", "spec: {template: {spec: {containers: [{name: three}]}}}\n");
  std::string names;
  for (const Json& each : object_["spec"]["template"]["spec"]["containers"].Elements())
    names += std::string(each["name"].AsString()) + " ";
  EXPECT_EQ(names, "one two three ");
}

TEST_F(ApplyTest, AtomicStructsAndListsHaveOneOwner) {
  Apply("a", R"(
spec:
  selector: {matchLabels: {app: web}}
  template: {spec: {containers: [{name: web, args: [x, y]}], nodeSelector: {disk: ssd}}}
)");
  EXPECT_EQ(Apply("b", R"(
spec:
  selector: {matchLabels: {tier: web}}
  template: {spec: {containers: [{name: web, args: [x]}], nodeSelector: {cpu: big}}}
)"),
            "Apply failed with 3 conflicts: conflicts with \"a\":\n"
            "- .spec.selector\n"
            "- .spec.template.spec.nodeSelector\n"
            "- .spec.template.spec.containers[name=\"web\"].args");
}

TEST_F(ApplyTest, AnAmountWrittenOtherwiseIsTheSame) {
  Apply("a",
        "spec: {template: {spec: {containers: [{name: w, resources: {limits: {memory: 1Gi}}}]}}}");
  EXPECT_EQ(Apply("b",
                  "spec: {template: {spec: {containers: [{name: w, resources: {limits: "
                  "{memory: 1024Mi}}}]}}}"),
            "OK");
}

TEST_F(ApplyTest, AnApplyThatChangesNothingChangesNotEvenTheTime) {
  Apply("a", kTwoContainers);
  const Json object = object_;
  const base::WallTime time = entries_.front().time;
  EXPECT_EQ(Apply("a", kTwoContainers), "OK");
  EXPECT_EQ(object_, object);
  EXPECT_EQ(entries_.front().time, time);
}

TEST_F(ApplyTest, WhatNobodyIsKnownToOwnWasThereBeforeTheFirstApply) {
  object_ = FromYaml("spec: {replicas: 2, paused: true}\n");
  EXPECT_EQ(Apply("kubectl", "spec: {replicas: 3}\n"),
            "Apply failed with 1 conflict: conflict with \"before-first-apply\" using apps/v1: "
            ".spec.replicas");
  EXPECT_EQ(Apply("kubectl", "spec: {replicas: 2}\n"), "OK");
  EXPECT_EQ(Story(),
            "spec:\n"
            "  paused: true\n"
            "  replicas: 2\n"
            "kubectl applies: .spec.replicas\n"
            "before-first-apply updates: .spec.paused .spec.replicas\n");
}

TEST_F(ApplyTest, KubectlTakesOverWhatItAppliedAsAClient) {
  Update("kubectl-client-side-apply", R"(
metadata:
  annotations:
    kubectl.kubernetes.io/last-applied-configuration: '{"spec":{"replicas":2,"paused":true}}'
spec: {replicas: 2, paused: true}
)");
  EXPECT_EQ(Apply("helm", "spec: {replicas: 3}\n"),
            "Apply failed with 1 conflict: conflict with \"kubectl-client-side-apply\" using "
            "apps/v1: .spec.replicas");
  EXPECT_EQ(Apply("kubectl", "spec: {replicas: 3}\n"), "OK");
  EXPECT_EQ(object_["spec"]["replicas"].AsInt(), 3);
  // But not what somebody else has changed since.
  Update("kubectl-edit", R"(
metadata:
  annotations:
    kubectl.kubernetes.io/last-applied-configuration: '{"spec":{"replicas":2,"paused":true}}'
spec: {replicas: 3, paused: false}
)");
  EXPECT_EQ(Apply("kubectl", "spec: {replicas: 3, paused: true}\n"),
            "Apply failed with 1 conflict: conflict with \"kubectl-edit\" using apps/v1: "
            ".spec.paused");
}

TEST_F(ApplyTest, ElementsWithoutTheirKeyOrWithOneTwiceAreRefused) {
  EXPECT_EQ(Apply("a", "spec: {template: {spec: {containers: [{name: w}, {name: w}]}}}"),
            "spec.template.spec.containers: an element lacks its key, or two elements have the "
            "same");
  EXPECT_EQ(Apply("a", "spec: {template: {spec: {containers: [{image: w}]}}}"),
            "spec.template.spec.containers: an element lacks its key, or two elements have the "
            "same");
}

TEST_F(ApplyTest, TheOldestUpdatersAreJoined) {
  std::string annotations;
  for (int i = 0; i < 12; ++i) {
    annotations += (i == 0 ? "" : ", ") + ("a" + std::to_string(i)) + ": x";
    Update("m" + std::to_string(i), "metadata: {annotations: {" + annotations + "}}");
  }
  std::string managers;
  for (const ManagedEntry& entry : entries_)
    managers += entry.manager->name + ":" + std::to_string(entry.fields->Paths().size()) + " ";
  EXPECT_EQ(managers, "ancient-changes:4 m3:1 m4:1 m5:1 m6:1 m7:1 m8:1 m9:1 m10:1 m11:1 ");
}

TEST_F(ApplyTest, EntriesReadBackAsTheyArePrinted) {
  Apply("kubectl", kTwoContainers);
  Update("plumb-controllers", R"(
spec: {template: {spec: {containers: [{name: web, image: web:1}]}}}
status: {replicas: 1}
)",
         "status");
  std::string text;
  AppendManagedFields(entries_, text);
  const auto read = ParseManagedFields(*base::ParseJson(text));
  ASSERT_TRUE(read.ok()) << read.status().ToString();
  std::string again;
  AppendManagedFields(*read, again);
  EXPECT_EQ(again, text);
  EXPECT_TRUE(SameOwners(entries_, *read));
  EXPECT_NE(text.find(R"({"apiVersion":"apps/v1","fieldsType":"FieldsV1","fieldsV1":{"f:status":)"
                      R"({"f:replicas":{}}},"manager":"plumb-controllers","operation":"Update",)"
                      R"("subresource":"status","time":"1970-01-01T00:00:02Z"})"),
            std::string::npos)
      << text;
}

TEST_F(ApplyTest, TwoMayNameWhatMeansNothing) {
  const std::string_view web = "spec: {template: {spec: {hostNetwork: false, volumes: []}}}";
  EXPECT_EQ(Apply("a", web), "OK");
  EXPECT_EQ(Apply("b", web), "OK") << "no conflict, and neither takes it from the other";
  EXPECT_EQ(Apply("a", web), "OK");
  ASSERT_EQ(entries_.size(), 2u);
  EXPECT_EQ(*entries_[0].fields, *entries_[1].fields);
  Update("c", "spec: {template: {spec: {hostNetwork: true}}}");
  EXPECT_EQ(Apply("a", web),
            "Apply failed with 1 conflict: conflict with \"c\" using apps/v1: "
            ".spec.template.spec.hostNetwork")
      << "where it is something, it is changed";
}

}  // namespace
}  // namespace manifests

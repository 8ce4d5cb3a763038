#include "state/testing/test_cluster.h"

#include <gtest/gtest.h>

#include <charconv>

#include "manifests/yaml/yaml.h"

namespace state {

TestCluster::TestCluster(uint64_t seed, manifests::SchemaPtr with_schema, size_t log_window)
    : faults(seed),
      loop(seed),
      storage(&faults),
      schema(std::move(with_schema)),
      log_window_(log_window),
      seeds_(seed) {
  Open();
  AddNamespace("default");
}

void TestCluster::Open() {
  storage.Reopen();
  StoreOptions options;
  options.log_window = log_window_;
  options.schema_of = [this](const View&) { return schema; };
  auto opened = Store::Open(loop, storage, options, [](base::Status) {});
  CHECK(opened.ok());
  store_ = *std::move(opened);
}

void TestCluster::Crash() {
  store_.reset();
  loop.DropAll();
  Open();
}

DraftContext TestCluster::Context() {
  return DraftContext{&config, loop.now().wall, seeds_.Next()};
}

base::Status TestCluster::TryApply(Draft& draft, std::string_view yaml) {
  const manifests::YamlFile file = manifests::ParseYaml(yaml);
  for (const manifests::TextError& error : file.errors) {
    return base::Status(base::Code::kBadRequest,
                        "line " + std::to_string(error.mark.line) + ": " + error.message);
  }
  for (const base::Json& document : file.documents) {
    base::Json object = document;
    const manifests::Kind* kind =
        schema->FindKind(document["apiVersion"].AsString(), document["kind"].AsString());
    if (kind == nullptr)
      return base::Status(base::Code::kNotFound, "unknown kind in " + document.ToString());
    if (kind->namespaced && std::as_const(object)["metadata"]["namespace"].IsNull()) {
      object["metadata"].Set("namespace", "default");
    }
    const Key key{kind->Resource(),
                  std::string(std::as_const(object)["metadata"]["namespace"].AsString()),
                  std::string(std::as_const(object)["metadata"]["name"].AsString())};
    const base::Json status = std::as_const(object)["status"];
    const bool exists = draft.view().Get(key) != nullptr;
    base::Result<ObjectPtr> done =
        exists ? draft.Update(std::move(object)) : draft.Create(std::move(object));
    if (!done.ok()) return done.status();
    if (!status.IsNull()) RETURN_IF_ERROR(draft.UpdateStatus((*done)->key, status).status());
  }
  return base::Status();
}

void TestCluster::Apply(std::string_view yaml) {
  Draft draft(store_->view(), Context());
  const base::Status status = TryApply(draft, yaml);
  ASSERT_TRUE(status.ok()) << status.ToString();
  CommitOrFail(draft);
}

std::string TestCluster::Try(std::string_view yaml) {
  Draft draft(store_->view(), Context());
  base::Status status = TryApply(draft, yaml);
  if (status.ok()) status = store_->Commit(draft.Finish()).status();
  return status.ToString();
}

void TestCluster::Delete(std::string_view resource, std::string_view ns, std::string_view name,
                         DeleteOptions options) {
  Draft draft(store_->view(), Context());
  const auto deleted =
      draft.Delete(Key{std::string(resource), std::string(ns), std::string(name)}, options);
  ASSERT_TRUE(deleted.ok()) << deleted.status().ToString();
  CommitOrFail(draft);
}

void TestCluster::SetStatus(std::string_view resource, std::string_view ns, std::string_view name,
                            std::string_view yaml) {
  const manifests::YamlFile file = manifests::ParseYaml(yaml);
  ASSERT_EQ(file.documents.size(), 1u);
  Draft draft(store_->view(), Context());
  const auto updated = draft.UpdateStatus(
      Key{std::string(resource), std::string(ns), std::string(name)}, file.documents[0]);
  ASSERT_TRUE(updated.ok()) << updated.status().ToString();
  CommitOrFail(draft);
}

void TestCluster::Bind(std::string_view ns, std::string_view pod, std::string_view node) {
  Draft draft(store_->view(), Context());
  const auto bound = draft.Bind(Key{"pods", std::string(ns), std::string(pod)}, node);
  ASSERT_TRUE(bound.ok()) << bound.status().ToString();
  CommitOrFail(draft);
}

void TestCluster::AddNode(std::string_view name, std::string_view cpu, std::string_view memory) {
  Apply("apiVersion: v1\nkind: Node\nmetadata: {name: " + std::string(name) +
        ", labels: {kubernetes.io/hostname: " + std::string(name) +
        "}}\nstatus:\n  allocatable: {cpu: \"" + std::string(cpu) +
        "\", memory: " + std::string(memory) +
        ", pods: \"110\"}\n  conditions: [{type: Ready, status: \"True\"}]\n");
}

void TestCluster::AddNamespace(std::string_view name) {
  Apply("apiVersion: v1\nkind: Namespace\nmetadata: {name: " + std::string(name) + "}\n");
}

void TestCluster::CommitOrFail(const Draft& draft) {
  const auto committed = store_->Commit(draft.Finish());
  ASSERT_TRUE(committed.ok()) << committed.status().ToString();
}

ObjectPtr TestCluster::Get(std::string_view resource, std::string_view ns,
                           std::string_view name) const {
  return store_->view().Get(resource, ns, name);
}

std::string TestCluster::Field(std::string_view resource, std::string_view ns,
                               std::string_view name, std::string_view path) const {
  const ObjectPtr object = Get(resource, ns, name);
  if (object == nullptr) return "absent";
  const base::Value value = Dig(object->document.root(), path);
  return value.Exists() ? std::string(value.Bytes()) : "absent";
}

std::string TestCluster::Names(std::string_view resource) const {
  std::string names;
  for (const ObjectPtr& object : store_->view().List(resource)) {
    if (!names.empty()) names += ' ';
    names += object->key.ns.empty() ? object->key.name : object->key.ns + "/" + object->key.name;
  }
  return names;
}

base::Value Dig(base::Value value, std::string_view path) {
  while (!path.empty()) {
    if (path.front() == '[') {
      size_t index = 0;
      std::from_chars(path.data() + 1, path.data() + path.size(), index);
      value = value.At(index);
      path.remove_prefix(std::min(path.find(']') + 1, path.size()));
    } else {
      const size_t end = std::min(path.find_first_of(".["), path.size());
      value = value[path.substr(0, end)];
      path.remove_prefix(end);
    }
    if (path.starts_with('.')) path.remove_prefix(1);
  }
  return value;
}

}  // namespace state

// What each kind of volume puts into a pod, as a table: a volume, and what is written.
#include "nodeagent/volumes/volumes.h"

#include <gtest/gtest.h>

#include <string>

#include "manifests/yaml/yaml.h"
#include "nodeagent/volumes/kinds/volume_kind.h"
#include "state/testing/test_cluster.h"

namespace nodeagent {
namespace {

constexpr const char* kSources = R"(
apiVersion: v1
kind: ConfigMap
metadata: {name: conf}
data: {a: one, b: two}
binaryData: {c: dGhyZWU=}
---
apiVersion: v1
kind: Secret
metadata: {name: keys}
stringData: {a: secret}
)";

base::Document FromYaml(const std::string& text) {
  const manifests::YamlFile file = manifests::ParseYaml(text);
  EXPECT_TRUE(file.errors.empty()) << text;
  return base::Document(file.documents.at(0));
}

class VolumesTest : public testing::Test {
 protected:
  VolumesTest() {
    node_.volume_root = "/pods";
    cluster_.Apply(kSources);
  }

  // "files memory group 7: a=one(644)", "directory memory 1048576", "host /data Directory", and
  // where it is mounted from; or what is wrong with it.
  std::string Build(const std::string& volume, const std::string& spec = "{}") {
    const base::Document document = FromYaml(
        "metadata: {name: web, namespace: default, uid: u1}\n"
        "spec: {securityContext: " +
        spec + ", volumes: [" + volume + "]}\n");
    const state::View view = cluster_.store().view();
    const PodContext context{node_, document.root(), &view, complete_};
    const auto writes = BuildVolumes(context);
    if (!writes.ok()) return writes.status().ToString();
    std::string text;
    for (const VolumeWrite& write : *writes) text += Text(write);
    const base::Value first = *document.root()["spec"]["volumes"].Elements().begin();
    return text + " at " + VolumePath(context, first) + (IsReadOnlyVolume(first) ? " ro" : "");
  }

  static std::string Text(const VolumeWrite& write) {
    std::string text = write.kind == VolumeWrite::Kind::kFiles       ? "files"
                       : write.kind == VolumeWrite::Kind::kDirectory ? "directory"
                                                                     : "host";
    if (write.in_memory) text += " memory";
    if (write.size_limit > 0) text += " " + std::to_string(write.size_limit);
    if (write.group) text += " group " + std::to_string(*write.group);
    if (!write.host_path.empty()) text += " " + write.host_path + " " + write.host_type;
    for (const FileContent& file : write.files) {
      char mode[16];
      std::snprintf(mode, sizeof mode, "(%o)", file.mode);
      text += " " + file.path + "=" + file.content + mode;
    }
    return text;
  }

  state::TestCluster cluster_;
  NodeFacts node_;
  bool complete_ = true;
};

TEST_F(VolumesTest, EachKindWritesWhatTheApiSays) {
  const struct {
    const char* volume;
    const char* written;
  } kCases[] = {
      {"{name: v, configMap: {name: conf}}",
       "files a=one(644) b=two(644) c=three(644) at /pods/u1/volumes/v ro"},
      {"{name: v, configMap: {name: conf, defaultMode: 256, items: [{key: b, path: x/b}]}}",
       "files x/b=two(400) at /pods/u1/volumes/v ro"},
      {"{name: v, configMap: {name: conf, optional: true, items: [{key: z, path: z}]}}",
       "files at /pods/u1/volumes/v ro"},
      {"{name: v, configMap: {name: none, optional: true}}", "files at /pods/u1/volumes/v ro"},
      {"{name: v, secret: {secretName: keys}}",
       "files memory a=secret(644) at /pods/u1/volumes/v ro"},
      {"{name: v, downwardAPI: {items: [{path: who, fieldRef: {fieldPath: metadata.name}}]}}",
       "files who=web(644) at /pods/u1/volumes/v ro"},
      {"{name: v, projected: {defaultMode: 384, sources: [{configMap: {name: conf}}, "
       "{secret: {name: keys}}, {downwardAPI: {items: [{path: b, fieldRef: {fieldPath: "
       "metadata.uid}}]}}]}}",
       "files memory a=secret(600) b=u1(600) c=three(600) at /pods/u1/volumes/v ro"},
      {"{name: v, projected: {sources: [{configMap: {name: conf, items: [{key: a, path: a}]}}]}}",
       "files a=one(644) at /pods/u1/volumes/v ro"},
      {"{name: v, emptyDir: {}}", "directory at /pods/u1/volumes/v"},
      {"{name: v, emptyDir: {medium: Memory, sizeLimit: 1Mi}}",
       "directory memory 1048576 at /pods/u1/volumes/v"},
      {"{name: v}", "directory at /pods/u1/volumes/v"},
      {"{name: v, hostPath: {path: /data, type: Directory}}", "host /data Directory at /data"},
  };
  for (const auto& [volume, written] : kCases) EXPECT_EQ(Build(volume), written) << volume;
}

TEST_F(VolumesTest, TheGroupOwnsAllButTheMachinesOwnPaths) {
  EXPECT_EQ(Build("{name: v, emptyDir: {}}", "{fsGroup: 7}"),
            "directory group 7 at /pods/u1/volumes/v");
  EXPECT_EQ(Build("{name: v, hostPath: {path: /data}}", "{fsGroup: 7}"), "host /data  at /data");
}

TEST_F(VolumesTest, WhatCannotBeServedSaysWhatToWriteInstead) {
  const struct {
    const char* volume;
    const char* error;
  } kCases[] = {
      {"{name: v, nfs: {server: x, path: /}}",
       "volume \"v\": it is of a kind that is not served; use configMap, secret, downwardAPI, "
       "projected, emptyDir or hostPath"},
      {"{name: v, projected: {sources: [{serviceAccountToken: {path: t}}]}}",
       "volume \"v\": a source is of a kind that is not served; use configMap, secret or "
       "downwardAPI"},
      {"{name: v, projected: {sources: [{projected: {sources: []}}]}}",
       "volume \"v\": a source is of a kind that is not served; use configMap, secret or "
       "downwardAPI"},
      {"{name: v, configMap: {name: conf, items: [{key: z, path: z}]}}",
       "volume \"v\": configmap \"conf\" has no key \"z\"; add it, or make the reference optional"},
      {"{name: v, configMap: {name: conf, items: [{key: a, path: ../a}]}}",
       "volume \"v\": path \"../a\" leads out of the volume; write a relative path without \"..\""},
      {"{name: v, secret: {secretName: none}}",
       "volume \"v\": secret \"none\" not found in namespace \"default\"; create it, or make the "
       "reference optional"},
  };
  for (const auto& [volume, error] : kCases) {
    EXPECT_NE(Build(volume).find(error), std::string::npos) << Build(volume);
  }
  complete_ = false;
  EXPECT_NE(Build("{name: v, secret: {secretName: none, optional: true}}").find("not known yet"),
            std::string::npos);
}

}  // namespace
}  // namespace nodeagent

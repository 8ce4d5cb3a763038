#include "nodeagent/edge/oci_image.h"

#include <gtest/gtest.h>

#include "base/edge/process.h"
#include "base/json.h"

namespace nodeagent {
namespace {

TEST(OciImage, LayerIsAnArchiveThatTarReads) {
  Blob layer = MakeLayer({{"bin/", 0755, "", ""},
                          {"bin/hello", 0755, std::string(1000, 'x'), ""},
                          {"bin/sh", 0777, "", "/bin/hello"},
                          {"etc/empty", 0600, "", ""}});
  base::Result<std::string> list = base::RunChecked(
      {"tar", "--full-time", "--numeric-owner", "--utc", "-tvf", "-"}, layer.content);
  ASSERT_TRUE(list.ok()) << list.status().ToString();
  EXPECT_EQ(*list,
            "drwxr-xr-x 0/0               0 1970-01-01 00:00:00 bin/\n"
            "-rwxr-xr-x 0/0            1000 1970-01-01 00:00:00 bin/hello\n"
            "lrwxrwxrwx 0/0               0 1970-01-01 00:00:00 bin/sh -> /bin/hello\n"
            "-rw------- 0/0               0 1970-01-01 00:00:00 etc/empty\n");
}

TEST(OciImage, ManifestNamesConfigAndLayerByDigest) {
  ImageConfig config;
  config.entrypoint = {"/bin/hello"};
  config.environment = {"VERSION=1"};
  OciImage image = MakeImage(MakeLayer({{"hello", 0755, "x", ""}}), config);
  base::Json manifest = *base::ParseJson(image.manifest.content);
  base::Json parsed = *base::ParseJson(image.config.content);
  const base::Json& m = manifest;
  const base::Json& c = parsed;
  EXPECT_EQ(m["config"]["digest"].AsString(), image.config.digest);
  EXPECT_EQ(m["layers"].At(0)["digest"].AsString(), image.layer.digest);
  EXPECT_EQ(m["layers"].At(0)["size"].AsInt(), static_cast<int64_t>(image.layer.content.size()));
  EXPECT_EQ(c["rootfs"]["diff_ids"].At(0).AsString(), image.layer.digest);
  EXPECT_EQ(c["config"].ToString(),
            "{\"Entrypoint\":[\"/bin/hello\"],\"Env\":[\"VERSION=1\"],\"WorkingDir\":\"/\"}");
}

TEST(OciImage, SameInputGivesTheSameDigest) {
  EXPECT_EQ(MakeBlob("abc").digest,
            "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(MakeLayer({{"a", 0644, "1", ""}}).digest, MakeLayer({{"a", 0644, "1", ""}}).digest);
  EXPECT_NE(MakeLayer({{"a", 0644, "1", ""}}).digest, MakeLayer({{"a", 0755, "1", ""}}).digest);
}

}  // namespace
}  // namespace nodeagent

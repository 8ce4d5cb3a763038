#include "nodeagent/edge/oci_archive.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>

#include "base/json.h"
#include "nodeagent/edge/pause_image.h"
#include "nodeagent/edge/pause_program.h"
#include "nodeagent/edge/sha256.h"

namespace nodeagent {
namespace {

// Reads a tar back: name and content of each entry, and "TYPE MODE" for what is no plain file.
std::map<std::string, std::string> ReadTar(const std::string& tar) {
  std::map<std::string, std::string> files;
  size_t at = 0;
  while (at + 512 <= tar.size() && tar[at] != '\0') {
    const size_t size = std::strtoull(tar.c_str() + at + 124, nullptr, 8);
    const std::string name = tar.c_str() + at;
    const char type = tar[at + 156];
    files[name] = type == '0' ? tar.substr(at + 512, size)
                              : std::string(1, type) + " " + (tar.c_str() + at + 157);
    at += 512 + (size + 511) / 512 * 512;
  }
  return files;
}

constexpr char kName[] = "plumb.dev/small:1";

OciImage SmallImage() {
  ImageConfig config;
  config.entrypoint = {"/run"};
  config.environment = {"A=b"};
  return MakeImage(
      MakeLayer(
          {{"bin/", 0755, "", ""}, {"bin/run", 0755, "text", ""}, {"run", 0777, "", "bin/run"}}),
      config);
}

TEST(OciArchiveTest, EveryBlobStandsUnderItsDigestAndIsReferredTo) {
  const auto files = ReadTar(WriteOciArchive(kName, SmallImage()));
  const auto blob = [&](const base::Json& descriptor) {
    const std::string digest(descriptor["digest"].AsString().substr(sizeof "sha256:" - 1));
    const auto file = files.find("blobs/sha256/" + digest);
    if (file == files.end() || Sha256(file->second) != digest) return std::string("missing");
    EXPECT_EQ(descriptor["size"].AsInt(), static_cast<int64_t>(file->second.size()));
    return file->second;
  };
  EXPECT_EQ(files.at("oci-layout"), R"({"imageLayoutVersion":"1.0.0"})");
  const auto index = base::ParseJson(files.at("index.json"));
  ASSERT_TRUE(index.ok());
  const base::Json& reference = (*index)["manifests"].At(0);
  EXPECT_EQ(reference["annotations"]["io.containerd.image.name"].AsString(), kName);
  const auto manifest = base::ParseJson(blob(reference));
  ASSERT_TRUE(manifest.ok());
  const std::string layer = blob((*manifest)["layers"].At(0));
  const auto config = base::ParseJson(blob((*manifest)["config"]));
  ASSERT_TRUE(config.ok());
  EXPECT_EQ((*config)["config"].ToString(),
            R"({"Entrypoint":["/run"],"Env":["A=b"],"WorkingDir":"/"})");
  EXPECT_EQ((*config)["rootfs"]["diff_ids"].At(0).AsString(), "sha256:" + Sha256(layer));

  std::string said;
  for (const auto& [name, content] : ReadTar(layer)) said += name + ": " + content + "\n";
  EXPECT_EQ(said, "bin/: 5 \nbin/run: text\nrun: 2 bin/run\n");
}

TEST(OciArchiveTest, DigestIsSha256) {  // FIPS 180-4's example
  EXPECT_EQ(Sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(PauseImageTest, HoldsTheProgramThatIsPartOfThisOne) {
  EXPECT_EQ(PauseProgram().substr(1, 3), "ELF");
  EXPECT_LT(PauseProgram().size(), size_t{1} << 20);
  EXPECT_NE(PauseImageArchive().find(PauseProgram()), std::string::npos);
}

}  // namespace
}  // namespace nodeagent

// The layer is a ustar archive (POSIX.1-1988), not compressed: it is made and read on one machine.
// All times are 1970 and all owners root.
#include "nodeagent/edge/oci_image.h"

#include <stdio.h>
#include <sys/utsname.h>

#include "base/json.h"
#include "base/status.h"
#include "base/words.h"
#include "nodeagent/edge/sha256.h"

namespace nodeagent {
namespace {

constexpr size_t kTarBlock = 512;

// Go's name of this machine's architecture.
std::string Architecture() {
  utsname name = {};
  uname(&name);
  const std::string_view machine = name.machine;
  if (machine == "x86_64") return "amd64";
  if (machine == "aarch64") return "arm64";
  return std::string(machine);
}

void Put(std::string& header, size_t at, std::string_view text) {
  header.replace(at, text.size(), text);
}

std::string Octal(size_t value, int digits) {
  char text[32];
  snprintf(text, sizeof(text), "%0*zo", digits, value);
  return text;
}

// The fields stand at fixed places: name, mode, owner, group, size, time, checksum, type, link,
// magic.
std::string TarHeader(const ImageFile& file, char type) {
  CHECK(file.path.size() <= kMaxTarName && file.link.size() <= kMaxTarName);
  std::string header(kTarBlock, '\0');
  Put(header, 0, file.path);
  Put(header, 100, Octal(file.mode, 7));
  Put(header, 108, Octal(0, 7));
  Put(header, 116, Octal(0, 7));
  Put(header, 124, Octal(file.content.size(), 11));
  Put(header, 136, Octal(0, 11));
  Put(header, 148, "        ");  // the checksum counts itself as spaces
  header[156] = type;
  Put(header, 157, file.link);
  Put(header, 257, std::string_view("ustar\00000", 8));
  size_t sum = 0;
  for (char c : header) sum += static_cast<unsigned char>(c);
  Put(header, 148, Octal(sum, 6) + '\0');
  return header;
}

base::Json Descriptor(std::string_view media_type, const Blob& blob) {
  return base::Json::MakeObject({{"mediaType", media_type},
                                 {"digest", blob.digest},
                                 {"size", static_cast<int64_t>(blob.content.size())}});
}

}  // namespace

Blob MakeBlob(std::string content) {
  std::string digest = "sha256:" + Sha256(content);
  return {std::move(content), std::move(digest)};
}

std::string MakeTar(const std::vector<ImageFile>& files) {
  std::string tar;
  for (const ImageFile& file : files) {
    const char type = !file.link.empty() ? '2' : file.path.back() == '/' ? '5' : '0';
    tar += TarHeader(file, type);
    tar += file.content;
    tar.resize((tar.size() + kTarBlock - 1) / kTarBlock * kTarBlock, '\0');
  }
  tar.resize(tar.size() + 2 * kTarBlock, '\0');
  return tar;
}

Blob MakeLayer(const std::vector<ImageFile>& files) { return MakeBlob(MakeTar(files)); }

OciImage MakeImage(Blob layer, const ImageConfig& config) {
  base::Json process = base::Json::MakeObject(
      {{"Env", base::ListOf(config.environment)}, {"WorkingDir", config.working_directory}});
  if (!config.entrypoint.empty()) process.Set("Entrypoint", base::ListOf(config.entrypoint));
  if (!config.command.empty()) process.Set("Cmd", base::ListOf(config.command));
  if (!config.user.empty()) process.Set("User", config.user);
  base::Json json = base::Json::MakeObject(
      {{"architecture", Architecture()},
       {"os", "linux"},
       {"config", process},
       {"rootfs", base::Json::MakeObject(
                      {{"type", "layers"}, {"diff_ids", base::Json::MakeArray({layer.digest})}})}});
  OciImage image;
  image.config = MakeBlob(json.ToString());
  image.layer = std::move(layer);
  base::Json manifest = base::Json::MakeObject(
      {{"schemaVersion", 2},
       {"mediaType", kManifestMediaType},
       {"config", Descriptor("application/vnd.oci.image.config.v1+json", image.config)},
       {"layers", base::Json::MakeArray(
                      {Descriptor("application/vnd.oci.image.layer.v1.tar", image.layer)})}});
  image.manifest = MakeBlob(manifest.ToString());
  return image;
}

}  // namespace nodeagent

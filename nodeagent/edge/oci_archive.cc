// Rule (OCI image layout 1.0): blobs/sha256/ holds, each under the digest of its bytes, the layer
// (a tar), the configuration (which names the layer) and the manifest (which names both);
// index.json names the manifest and says the image's name in an annotation. All of it in a ustar
// archive (POSIX.1-1988): a header of 512 bytes per file, contents padded to 512, two empty blocks
// at the end. Owners are root, times are zero.
#include "nodeagent/edge/oci_archive.h"

#include <sys/utsname.h>

#include <array>
#include <cstring>

#include "base/edge/process.h"
#include "base/json.h"
#include "nodeagent/edge/sha256.h"

namespace nodeagent {
namespace {

using base::Json;

constexpr size_t kTarBlock = 512;

struct TarHeader {
  char name[100];
  char mode[8];
  char uid[8];
  char gid[8];
  char size[12];
  char mtime[12];
  char checksum[8];
  char type;
  char link[100];
  char magic[6];
  char version[2];
  char rest[247];
};
static_assert(sizeof(TarHeader) == kTarBlock);

// Digits up to the last byte, which is zero.
template <size_t kSize>
void PutOctal(char (&field)[kSize], uint64_t value) {
  field[kSize - 1] = '\0';
  for (size_t i = kSize - 1; i > 0; --i, value /= 8)
    field[i - 1] = static_cast<char>('0' + value % 8);
}

void AppendToTar(const OciFile& file, std::string& tar) {
  TarHeader header = {};
  std::memcpy(header.name, file.path.data(), file.path.size());
  std::memcpy(header.link, file.link_target.data(), file.link_target.size());
  PutOctal(header.mode, file.mode);
  PutOctal(header.uid, 0);
  PutOctal(header.gid, 0);
  PutOctal(header.size, file.content.size());
  PutOctal(header.mtime, 0);
  header.type = !file.link_target.empty() ? '2' : file.path.ends_with('/') ? '5' : '0';
  std::memcpy(header.magic, "ustar", 6);
  std::memcpy(header.version, "00", 2);
  // The checksum counts its own field as blanks.
  std::memset(header.checksum, ' ', sizeof header.checksum);
  std::array<unsigned char, kTarBlock> bytes;
  std::memcpy(bytes.data(), &header, kTarBlock);
  unsigned sum = 0;
  for (unsigned char byte : bytes) sum += byte;
  PutOctal(header.checksum, sum);

  tar.append(reinterpret_cast<const char*>(&header), kTarBlock);
  tar += file.content;
  tar.append((kTarBlock - file.content.size() % kTarBlock) % kTarBlock, '\0');
}

std::string WriteTar(const std::vector<OciFile>& files) {
  std::string tar;
  for (const OciFile& file : files) AppendToTar(file, tar);
  tar.append(2 * kTarBlock, '\0');
  return tar;
}

Json StringArray(const std::vector<std::string>& strings) {
  Json array = Json::MakeArray();
  for (const std::string& string : strings) array.Append(string);
  return array;
}

// Go's name of this machine's architecture.
std::string Architecture() {
  utsname name = {};
  uname(&name);
  const std::string_view machine = name.machine;
  if (machine == "x86_64") return "amd64";
  if (machine == "aarch64") return "arm64";
  return std::string(machine);
}

Json ConfigOf(const OciImage& image, const std::string& layer) {
  return Json::MakeObject(
      {{"architecture", Architecture()},
       {"os", "linux"},
       {"config", Json::MakeObject({{"Entrypoint", StringArray(image.entry_point)},
                                    {"Env", StringArray(image.environment)}})},
       {"rootfs", Json::MakeObject({{"type", "layers"},
                                    {"diff_ids", Json::MakeArray({"sha256:" + Sha256(layer)})}})}});
}

// A blob as others refer to it; the blob itself goes to `files`.
Json AddBlob(const std::string& media_type, std::string blob, std::vector<OciFile>& files) {
  const std::string digest = Sha256(blob);
  Json descriptor = Json::MakeObject({{"mediaType", media_type},
                                      {"digest", "sha256:" + digest},
                                      {"size", static_cast<int64_t>(blob.size())}});
  files.push_back({"blobs/sha256/" + digest, 0644, std::move(blob), ""});
  return descriptor;
}

}  // namespace

base::Result<std::string> WriteOciArchive(const OciImage& image) {
  for (const OciFile& file : image.files) {
    if (file.path.size() <= kMaxTarName && file.link_target.size() <= kMaxTarName) continue;
    return base::Status(base::Code::kInvalid, "cannot put " + file.path + " into image " +
                                                  image.name + ": a name is longer than " +
                                                  std::to_string(kMaxTarName) + " bytes");
  }
  const std::string layer = WriteTar(image.files);
  const std::string prefix = "application/vnd.oci.image.";
  std::vector<OciFile> files = {
      {"oci-layout", 0644, R"({"imageLayoutVersion":"1.0.0"})", ""},
      {"blobs/", 0755, "", ""},
      {"blobs/sha256/", 0755, "", ""},
  };
  Json manifest = Json::MakeObject({{"schemaVersion", 2}});
  manifest.Set("mediaType", prefix + "manifest.v1+json");
  manifest.Set("config",
               AddBlob(prefix + "config.v1+json", ConfigOf(image, layer).ToString(), files));
  manifest.Set("layers", Json::MakeArray({AddBlob(prefix + "layer.v1.tar", layer, files)}));
  Json reference = AddBlob(prefix + "manifest.v1+json", manifest.ToString(), files);
  reference.Set("annotations",
                Json::MakeObject({{"io.containerd.image.name", image.name},
                                  {"org.opencontainers.image.ref.name", image.name}}));
  const Json index =
      Json::MakeObject({{"schemaVersion", 2}, {"manifests", Json::MakeArray({reference})}});
  files.push_back({"index.json", 0644, index.ToString(), ""});
  return WriteTar(files);
}

base::Status ImportOciArchive(const std::string& socket, std::string_view archive) {
  return base::RunChecked(
             {"ctr", "--address", socket, "--namespace", "k8s.io", "images", "import", "-"},
             archive, kImportTimeout)
      .status();
}

}  // namespace nodeagent

// Rule (OCI image layout 1.0): blobs/sha256/ holds the layer, the configuration and the manifest,
// each under its digest; index.json names the manifest and says the image's name in an annotation.
#include "nodeagent/edge/oci_archive.h"

#include "base/edge/process.h"
#include "base/json.h"

namespace nodeagent {

using base::Json;

std::string WriteOciArchive(const std::string& name, const OciImage& image) {
  const Json annotations = Json::MakeObject(
      {{"io.containerd.image.name", name}, {"org.opencontainers.image.ref.name", name}});
  const Json reference =
      Json::MakeObject({{"mediaType", kManifestMediaType},
                        {"digest", image.manifest.digest},
                        {"size", static_cast<int64_t>(image.manifest.content.size())},
                        {"annotations", annotations}});
  const Json index =
      Json::MakeObject({{"schemaVersion", 2}, {"manifests", Json::MakeArray({reference})}});
  std::vector<ImageFile> files = {
      {"oci-layout", 0644, R"({"imageLayoutVersion":"1.0.0"})", ""},
      {"blobs/", 0755, "", ""},
      {"blobs/sha256/", 0755, "", ""},
  };
  for (const Blob* blob : {&image.layer, &image.config, &image.manifest}) {
    const std::string digest = blob->digest.substr(blob->digest.find(':') + 1);
    files.push_back({"blobs/sha256/" + digest, 0644, blob->content, ""});
  }
  files.push_back({"index.json", 0644, index.ToString(), ""});
  return MakeTar(files);
}

base::Status ImportOciArchive(const std::string& socket, std::string_view archive) {
  return base::RunChecked(
             {"ctr", "--address", socket, "--namespace", "k8s.io", "images", "import", "-"},
             archive, kImportTimeout)
      .status();
}

}  // namespace nodeagent

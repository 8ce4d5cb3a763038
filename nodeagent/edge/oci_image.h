// OciImage: a container image of one or more files, made in memory: a layer (a tar archive), a
// configuration and a manifest, as the OCI image specification 1.0 has them. The same input gives
// the same bytes, so a digest tells whether an image has changed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nodeagent {

struct ImageFile {
  std::string path;  // "bin/hello", without a leading slash; a directory ends in one
  uint32_t mode = 0755;
  std::string content;  // of a file
  std::string link;     // not empty: a symbolic link to this
};
inline constexpr size_t kMaxTarName =
    99;  // bytes of a path or a link; more is a programmer's error

struct ImageConfig {
  std::vector<std::string> entrypoint;
  std::vector<std::string> command;
  std::vector<std::string> environment;  // "NAME=value"
  std::string working_directory = "/";
  std::string user;  // "uid:gid"; empty: root
};

struct Blob {
  std::string content;
  std::string digest;  // "sha256:..."
};
Blob MakeBlob(std::string content);

struct OciImage {
  Blob layer;
  Blob config;
  Blob manifest;
};
inline constexpr std::string_view kManifestMediaType = "application/vnd.oci.image.manifest.v1+json";

// Directories stand before what is in them.
std::string MakeTar(const std::vector<ImageFile>& files);
Blob MakeLayer(const std::vector<ImageFile>& files);
OciImage MakeImage(Blob layer, const ImageConfig& config);

}  // namespace nodeagent

// An OCI image as one tar archive, written by us: small images without a registry or a builder.
//
// WriteOciArchive is pure: the same image gives the same bytes. ImportOciArchive blocks (a few
// hundred milliseconds): call it on a worker.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/time.h"

namespace nodeagent {

struct OciFile {
  std::string path;  // "bin/busybox"; a final '/' makes a directory
  uint32_t mode = 0644;
  std::string content;
  std::string link_target;  // if not empty: a symbolic link
};
inline constexpr size_t kMaxTarName = 99;  // bytes of a path or a link's target

struct OciImage {
  std::string name;  // "plumb.dev/pause:1"
  std::vector<std::string> entry_point;
  std::vector<std::string> environment;  // "NAME=value"
  std::vector<OciFile> files;            // directories before what is in them; one layer
};

// kInvalid if a name is longer than kMaxTarName.
base::Result<std::string> WriteOciArchive(const OciImage& image);

// Hands the archive to the containerd behind `socket`, as images of its CRI side, by ctr.
base::Status ImportOciArchive(const std::string& socket, std::string_view archive);
inline constexpr base::Duration kImportTimeout = base::Duration::Seconds(60);

}  // namespace nodeagent

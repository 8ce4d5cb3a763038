// An OCI image as one tar archive: how images of our own reach containerd without a registry.
//
// WriteOciArchive is pure: the same image gives the same bytes. ImportOciArchive blocks (a few
// hundred milliseconds): call it on a worker.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "base/time.h"
#include "nodeagent/edge/oci_image.h"

namespace nodeagent {

// `name` is that of the image: "plumb.dev/pause:1".
std::string WriteOciArchive(const std::string& name, const OciImage& image);

// Hands the archive to the containerd behind `socket`, as images of its CRI side, by ctr.
base::Status ImportOciArchive(const std::string& socket, std::string_view archive);
inline constexpr base::Duration kImportTimeout = base::Duration::Seconds(60);

}  // namespace nodeagent

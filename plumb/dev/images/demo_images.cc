#include "plumb/dev/images/demo_images.h"

#include <elf.h>
#include <string.h>

#include <algorithm>

#include "base/edge/files.h"
#include "base/edge/process.h"
#include "nodeagent/edge/oci_image.h"
#include "plumb/dev/images/push.h"

namespace plumb {
namespace {

using nodeagent::Blob;
using nodeagent::ImageConfig;
using nodeagent::ImageFile;
using nodeagent::MakeImage;
using nodeagent::MakeLayer;
using nodeagent::OciImage;

constexpr size_t kMaxBusyboxBytes = 16 << 20;
constexpr char kPath[] = "PATH=/bin:/sbin:/usr/bin:/usr/sbin";

ImageFile Folder(std::string path, unsigned mode = 0755) { return {std::move(path), mode, "", ""}; }

std::vector<ImageFile> HelloFiles() {
  return {Folder("bin/"),
          {"bin/hello", 0755, std::string(HelloBinary()), ""},
          Folder("etc/"),
          {"etc/passwd", 0644, "root:x:0:0:root:/:/bin/hello\n", ""},
          Folder("tmp/", 01777)};
}

OciImage HelloImage(const Blob& layer, const std::string& version) {
  ImageConfig config;
  config.entrypoint = {"/bin/hello"};
  config.command = {"serve"};
  config.environment = {kPath, "VERSION=" + version};
  return MakeImage(layer, config);
}

// True for a 64-bit ELF program without an interpreter (program header type 3).
bool IsStatic(std::string_view program) {
  Elf64_Ehdr header;
  if (program.size() < sizeof(header)) return false;
  memcpy(&header, program.data(), sizeof(header));
  if (memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) return false;
  for (size_t i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr part;
    size_t at = header.e_phoff + i * sizeof(part);
    if (at + sizeof(part) > program.size()) return false;
    memcpy(&part, program.data() + at, sizeof(part));
    if (part.p_type == PT_INTERP) return false;
  }
  return true;
}

// busybox is one program under many names: "bin/sh", "usr/bin/wget", ...
base::Result<OciImage> ToolsImage() {
  ASSIGN_OR_RETURN(std::string busybox, base::ReadFile(kBusyboxPath, kMaxBusyboxBytes));
  if (!IsStatic(busybox)) {
    return {base::Code::kNotFound,
            std::string(kBusyboxPath) +
                " needs shared libraries, which an image lacks; apt-get install busybox-static"};
  }
  ASSIGN_OR_RETURN(std::string list, base::RunChecked({kBusyboxPath, "--list-full"}));
  std::vector<ImageFile> files = {
      Folder("bin/"),
      {"bin/busybox", 0755, std::move(busybox), ""},
      {"bin/hello", 0755, std::string(HelloBinary()), ""},
      Folder("etc/"),
      {"etc/passwd", 0644, "root:x:0:0:root:/root:/bin/sh\n", ""},
      Folder("root/", 0700),
      Folder("sbin/"),
      Folder("tmp/", 01777),
      Folder("usr/"),
      Folder("usr/bin/"),
      Folder("usr/sbin/"),
  };
  while (!list.empty()) {
    size_t end = std::min(list.find('\n'), list.size());
    std::string path = list.substr(0, end);
    list.erase(0, end + 1);
    if (path.empty() || path == "bin/busybox") continue;
    // Names at the root (linuxrc) have no folder; all others lie in one of those above.
    if (path.find('/') == std::string::npos) continue;
    files.push_back({path, 0777, "", "/bin/busybox"});
  }
  ImageConfig config;
  config.command = {"/bin/hello", "idle"};
  config.environment = {kPath};
  return MakeImage(MakeLayer(files), config);
}

}  // namespace

base::Result<std::vector<std::string>> PushDemoImages(uint16_t port) {
  Blob hello = MakeLayer(HelloFiles());
  ASSIGN_OR_RETURN(OciImage tools, ToolsImage());
  struct Target {
    std::string repository;
    std::string tag;
    OciImage image;
  };
  const Target targets[] = {{"hello", "1", HelloImage(hello, "1")},
                            {"hello", "2", HelloImage(hello, "2")},
                            {"tools", "1", std::move(tools)}};
  std::vector<std::string> names;
  for (const Target& target : targets) {
    base::Result<bool> pushed = PushImage(port, target.repository, target.tag, target.image);
    if (!pushed.ok()) return pushed.status();
    names.push_back(target.repository + ":" + target.tag);
  }
  return names;
}

}  // namespace plumb

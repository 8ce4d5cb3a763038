#include "nodeagent/edge/pause_image.h"

#include "nodeagent/edge/oci_archive.h"
#include "nodeagent/edge/pause_program.h"

namespace nodeagent {

std::string PauseImageArchive() {
  base::Result<std::string> archive =
      WriteOciArchive({.name = kPauseImage,
                       .entry_point = {"/pause"},
                       .environment = {},
                       .files = {{"pause", 0755, std::string(PauseProgram()), ""}}});
  CHECK(archive.ok());  // all names are ours, and short
  return *std::move(archive);
}

}  // namespace nodeagent

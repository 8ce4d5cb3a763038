#include "nodeagent/edge/pause_image.h"

#include "nodeagent/edge/oci_archive.h"
#include "nodeagent/edge/pause_program.h"

namespace nodeagent {

std::string PauseImageArchive() {
  ImageConfig config;
  config.entrypoint = {"/pause"};
  const Blob layer = MakeLayer({{"pause", 0755, std::string(PauseProgram()), ""}});
  return WriteOciArchive(kPauseImage, MakeImage(layer, config));
}

}  // namespace nodeagent

// The text of a YAML file before it is parsed: its characters, and where its documents are. Pure;
// any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "manifests/yaml/yaml.h"

namespace manifests {

// One document's part of a file.
struct Chunk {
  std::string_view text;
  size_t start = 0;  // where it is in the file
  uint32_t first_line = 1;
  uint32_t stray_directive = 0;  // the line of a "%" below the content, where no directive may be
};

// Cuts the file at its markers "---" and "...", and leaves out what holds only comments. "---"
// stays at the front of its chunk, with the directives before it.
std::vector<Chunk> CutDocuments(std::string_view text);

struct BadText {
  size_t at;  // in the file
  TextError error;
};

// The first character that no YAML text may have; nothing if all is well.
std::optional<BadText> FindBadText(std::string_view text);

}  // namespace manifests

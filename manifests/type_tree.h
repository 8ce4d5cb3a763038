// TypeNode: the YAML of a types/*.yaml file as a tree that knows its lines.
//
// Only what those files use: scalars, lists, maps with unique keys; no anchors. A value, freely
// copied; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace manifests {

struct TypeNode {
  enum class Kind : uint8_t { kScalar, kList, kMap };
  Kind kind = Kind::kScalar;
  bool quoted = false;             // a quoted scalar is a string, whatever it looks like
  uint32_t line = 0;               // from 1
  std::string text;                // of a scalar
  std::vector<std::string> keys;   // of a map, in the order of the file; else empty
  std::vector<TypeNode> children;  // elements of a list, values of a map

  const TypeNode* Find(std::string_view key) const;  // null if this is no map or has no such key
};

// kInvalid "core.v1.yaml:12: ..." if `text` is not such a file. `name` is the file's name.
base::Result<TypeNode> ReadTypeTree(std::string_view name, std::string_view text);

// The Status of a mistake at a line of a file.
base::Status TypeFileError(std::string_view name, uint32_t line, std::string_view message);

}  // namespace manifests

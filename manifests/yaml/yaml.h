// YAML with positions: Kubernetes' dialect (YAML 1.1 scalars as sigs.k8s.io/yaml reads them), one
// Json a document, a mark on every value and key.
//
// Pure. Refused with a mark: duplicate keys, keys that are not strings, tabs as indentation, more
// than the limits below.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/status.h"

namespace manifests {

inline constexpr size_t kMaxYamlBytes = 16u << 20;   // of one file
inline constexpr size_t kMaxYamlDocuments = 10'000;  // in one file
inline constexpr size_t kMaxYamlDepth = 100;         // levels
inline constexpr size_t kMaxYamlNodes = 1'000'000;   // of one file, aliases expanded

// What it takes to hold a file's documents. What an anchor or an alias stands for counts as if it
// were written out: a small text can stand for much.
struct YamlCost {
  size_t values = 0;         // scalars and collections
  size_t copied_values = 0;  // of them, what anchors and aliases stand for
  size_t copied_bytes = 0;   // of the scalars among these

  bool Within(const YamlCost& most) const {
    return values <= most.values && copied_values <= most.copied_values &&
           copied_bytes <= most.copied_bytes;
  }
};
inline constexpr YamlCost kMaxYamlCost = {kMaxYamlNodes, kMaxYamlNodes, 4 * kMaxYamlBytes};

struct TextError {
  base::Mark mark;
  std::string message;  // what is wrong; what to do
};

struct YamlFile {
  // Those before the first syntax error; empty documents are left out. If there are errors, they
  // serve to report more mistakes, not to be applied.
  std::vector<base::Json> documents;
  // In the order of the text. A syntax error ends the file; duplicate keys and the like do not.
  std::vector<TextError> errors;
  YamlCost cost;          // of the documents, and of what was read before an error
  bool exceeded = false;  // it would cost more than it may: the last error says so
};

// `most`: what the file may cost.
YamlFile ParseYaml(std::string_view text, const YamlCost& most = kMaxYamlCost);

// As kubectl -o yaml prints it: members in canonical order, block style.
std::string ToYaml(const base::Json& json);

}  // namespace manifests

// Logs are written by whoever wrote the image: no byte of them may steer a terminal or break a
// line, and a program that dies likes to print what it was given, credentials included. Where a log
// begins within a value, its rest is taken out as well.
#include "gitsync/deploy/container_log.h"

#include <algorithm>
#include <set>

#include "base/base64.h"
#include "gitsync/plan/history.h"
#include "manifests/kinds/kind_facts.h"

namespace gitsync {
namespace {

constexpr std::string_view kMask = "***";

struct Longer {
  bool operator()(const std::string& a, const std::string& b) const {
    return a.size() != b.size() ? a.size() > b.size() : a < b;
  }
};
using Pieces = std::set<std::string, Longer>;  // the longest first: a part of it may be one, too

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const size_t first = std::min(text.find_first_not_of(kSpace), text.size());
  return text.substr(first, text.find_last_not_of(kSpace) + 1 - first);
}

void AddPiece(std::string_view piece, Pieces& pieces) {
  piece = Trimmed(piece);
  if (piece.size() >= kMinMaskedBytes) pieces.emplace(piece);
}

void AddValue(std::string_view encoded, Pieces& pieces) {
  AddPiece(encoded, pieces);
  const base::Result<std::string> value = base::Base64Decode(encoded);
  if (!value.ok()) return;
  AddPiece(*value, pieces);
  std::string quoted;
  base::AppendQuoted(*value, quoted);
  AddPiece(std::string_view(quoted).substr(1, quoted.size() - 2), pieces);
  std::string_view rest = *value;
  while (!rest.empty() && pieces.size() <= kMaxMaskedPieces) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    AddPiece(line, pieces);
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
  }
}

Pieces SecretsOf(const state::Object& pod, const state::View& view) {
  Pieces pieces;
  manifests::FactsOf("pods").references(
      pod.document.root(), [&](const manifests::Reference& reference) {
        if (reference.resource != "secrets") return;
        const state::ObjectPtr secret = view.Get("secrets", pod.key.ns, reference.name);
        if (secret == nullptr) return;
        for (const auto& [key, value] : (*secret)["data"].Members()) {
          if (pieces.size() <= kMaxMaskedPieces) AddValue(value.AsString(), pieces);
        }
      });
  return pieces;
}

// How much of the front of `text` is the end of `piece`.
size_t EndInFront(std::string_view text, std::string_view piece) {
  for (size_t length = std::min(piece.size() - 1, text.size()); length >= kMinMaskedBytes;
       --length) {
    if (text.starts_with(piece.substr(piece.size() - length))) return length;
  }
  return 0;
}

}  // namespace

std::string WithoutSecrets(std::string_view log, const state::Object& pod,
                           const state::View& view) {
  const Pieces pieces = SecretsOf(pod, view);
  if (pieces.size() > kMaxMaskedPieces) return "(left out: the pod's Secrets are too many to mask)";
  std::string text(log);
  for (const std::string& piece : pieces) {
    for (size_t at = 0; (at = text.find(piece, at)) != std::string::npos; at += kMask.size()) {
      text.replace(at, piece.size(), kMask);
    }
    if (const size_t length = EndInFront(text, piece); length > 0) text.replace(0, length, kMask);
  }
  return text;
}

std::vector<std::string> LastLines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty() && lines.size() < kMaxLogLines) {
    const size_t end = text.rfind('\n');
    std::string line =
        OneLine(end == std::string_view::npos ? text : text.substr(end + 1), kMaxLogLineBytes);
    text = text.substr(0, end == std::string_view::npos ? 0 : end);
    line.erase(line.find_last_not_of(' ') + 1);
    if (!line.empty()) lines.push_back(std::move(line));
  }
  std::reverse(lines.begin(), lines.end());
  return lines;
}

std::string RecordedLines(const std::vector<std::string>& lines) {
  std::string text;
  const size_t first = lines.size() - std::min(lines.size(), kMaxRecordedLines);
  for (size_t i = first; i < lines.size(); ++i) text += (text.empty() ? "" : " | ") + lines[i];
  return text.empty() ? "" : "; log: " + OneLine(text, kMaxRecordedBytes);
}

}  // namespace gitsync

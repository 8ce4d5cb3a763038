#include "tests/upgrade/fixture.h"

#include <stdlib.h>

#include <sstream>
#include <utility>

#include "base/edge/files.h"
#include "base/edge/process.h"

namespace upgrade {
namespace {

constexpr size_t kMaxFileBytes = 16u << 20;

int Digit(char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

std::string FromHex(std::string_view text) {
  std::string bytes;
  for (size_t i = 0; i + 1 < text.size(); i += 2) {
    bytes += static_cast<char>(Digit(text[i]) << 4 | Digit(text[i + 1]));
  }
  return bytes;
}

}  // namespace

void AddTo(Listing& listing, const std::string& path, const base::Json& list) {
  const std::string resource = path.substr(path.rfind('/') + 1);
  for (const base::Json& object : list["items"].Elements()) {
    const base::Json& metadata = object["metadata"];
    const std::string ns(metadata["namespace"].AsString());
    listing[resource + " " + (ns.empty() ? "" : ns + "/") +
            std::string(metadata["name"].AsString())] = object;
  }
}

base::Result<std::unique_ptr<OldRelease>> OldRelease::Unpack(const std::string& release) {
  std::string root = "/tmp/plumb-upgrade-XXXXXX";
  if (mkdtemp(root.data()) == nullptr) return base::ErrnoStatus(root, errno);
  std::unique_ptr<OldRelease> old(new OldRelease(root));
  RETURN_IF_ERROR(base::RunChecked({"tar", "-C", root, "-xzf",
                                    std::string(PLUMB_FIXTURES) + "/" + release + ".tar.gz"})
                      .status());
  RETURN_IF_ERROR(old->Read());
  return old;
}

OldRelease::~OldRelease() { (void)base::RemoveTree(root_); }

base::Result<std::vector<std::string>> OldRelease::Lines(const std::string& file) const {
  ASSIGN_OR_RETURN(const std::string text, base::ReadFile(root_ + "/" + file, kMaxFileBytes));
  std::istringstream in(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

base::Status OldRelease::Read() {
  ASSIGN_OR_RETURN(const std::vector<std::string> lists, Lines("listing"));
  for (const std::string& line : lists) {
    ASSIGN_OR_RETURN(const base::Json json, base::ParseJson(line));
    paths_.emplace_back(json["path"].AsString());
    AddTo(listing_, paths_.back(), json["list"]);
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> deploys, Lines("deploys"));
  for (const std::string& line : deploys) {
    Deploy deploy;
    std::istringstream(line) >> deploy.repository >> deploy.commit >> deploy.outcome;
    deploys_.push_back(std::move(deploy));
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> tokens, Lines("tokens"));
  for (const std::string& line : tokens) {
    std::string name, role, secret;
    std::istringstream(line) >> name >> role >> secret;
    tokens_[role] = secret;
  }
  return ReadFrames();
}

base::Status OldRelease::ReadFrames() {
  ASSIGN_OR_RETURN(const std::vector<std::string> lines, Lines("frames"));
  for (const std::string& line : lines) {
    const size_t space = line.find(' ');
    const std::string who = line.substr(0, space);
    std::string bytes = FromHex(std::string_view(line).substr(space + 1));
    if (who == "schema") {
      schema_ = std::move(bytes);
    } else {
      frames_.push_back({who == "agent", std::move(bytes)});
    }
  }
  return {};
}

std::string OldRelease::Token(const std::string& role) const {
  const auto found = tokens_.find(role);
  return found == tokens_.end() ? "" : found->second;
}

std::string OldRelease::JoinToken() const {
  const base::Result<std::vector<std::string>> lines = Lines("server/join-token");
  return lines.ok() && !lines->empty() ? lines->front() : "";
}

}  // namespace upgrade

// OldRelease: what an earlier release left behind (README.md), unpacked into a directory of its
// own, which goes with it.
//
// One owner, one thread. The files below server/ are the caller's to work with; what is read from
// the others is read once.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/status.h"

namespace upgrade {

// Objects by "deployments shop/web": what the API lists.
using Listing = std::map<std::string, base::Json>;
void AddTo(Listing& listing, const std::string& path, const base::Json& list);

struct Deploy {
  std::string repository;
  std::string commit;
  std::string outcome;  // healthy, failed, superseded
};

// A frame that passed between an agent and its server, in the order in which they did.
struct RecordedFrame {
  bool from_agent = false;
  std::string bytes;
};

class OldRelease {
 public:
  static base::Result<std::unique_ptr<OldRelease>> Unpack(const std::string& release);
  ~OldRelease();

  const std::string& root() const { return root_; }
  std::string data_dir() const { return root_ + "/server"; }
  std::string backup() const { return root_ + "/backup"; }
  std::string view() const { return root_ + "/view"; }  // of the agent of node1

  const Listing& listing() const { return listing_; }
  const std::vector<std::string>& paths() const { return paths_; }  // of the lists in it
  const std::vector<Deploy>& deploys() const { return deploys_; }
  std::string Token(const std::string& role) const;
  std::string JoinToken() const;
  const std::string& schema() const { return schema_; }  // the frames' FileDescriptorProto
  const std::vector<RecordedFrame>& frames() const { return frames_; }

 private:
  explicit OldRelease(std::string root) : root_(std::move(root)) {}
  base::Status Read();
  base::Status ReadFrames();
  base::Result<std::vector<std::string>> Lines(const std::string& file) const;

  const std::string root_;
  Listing listing_;
  std::vector<std::string> paths_;
  std::vector<Deploy> deploys_;
  std::map<std::string, std::string> tokens_;  // by role
  std::string schema_;
  std::vector<RecordedFrame> frames_;
};

}  // namespace upgrade

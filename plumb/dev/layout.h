// Layout: what a development cluster consists of and where each part lives. Everything that `up`
// makes follows from a ClusterRecord, which is on disk before the first thing is made; so `down`
// knows after any crash what there may be to undo.
//
// Values. Paths are absolute; addresses exist only inside the cluster's network namespaces.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/edge/files.h"
#include "base/status.h"

namespace plumb {

inline constexpr int kMaxDevNodes = 50;
// The sockets of a node's containerd lie some folders below, and the kernel takes 107 bytes.
inline constexpr size_t kMaxDevDirectoryBytes = 56;

// Addresses inside the namespaces; every cluster has the same ones.
inline constexpr std::string_view kBridgeAddress = "10.77.0.1";
inline constexpr std::string_view kServerAddress = "10.77.0.2";
inline constexpr uint16_t kServerPort = 6443;
inline constexpr uint16_t kRegistryPort = 5000;
// What manifests write before an image's name; the nodes' containerd maps it to the registry.
inline constexpr std::string_view kRegistryName = "registry:5000";

struct ClusterRecord {
  std::string directory;
  std::string name;
  int nodes = 0;
  uint16_t api_port = 0;       // of 127.0.0.1, forwarded to the server
  uint16_t registry_port = 0;  // of 127.0.0.1, forwarded to the registry
  // The topmost directory that `up` made for this cluster: `down` removes the empty ones up to it.
  // "" if `directory` was there before; then it stays.
  std::string made_root;
};

// "plumb-1a2b3c4d": begins the names of the namespaces; differs for each directory.
std::string PrefixOf(std::string_view directory);

// A part that has a network namespace: "registry" (with the bridge), "server", "node1", ...
struct Member {
  std::string name;
  std::string network_namespace;  // its name; see NamespacePath
  std::string address;
  std::string data_directory;
};
Member RegistryMember(const ClusterRecord& record);
Member ServerMember(const ClusterRecord& record);
Member NodeMember(const ClusterRecord& record, int number);  // from 1
// All, in the order in which they are started.
std::vector<Member> MembersOf(const ClusterRecord& record);
// kNotFound names the members that there are.
base::Result<Member> FindMember(const ClusterRecord& record, std::string_view name);

std::string RecordPath(std::string_view directory);
std::string LockPath(std::string_view directory);
std::string LogPath(std::string_view directory, std::string_view name);
std::string PidPath(std::string_view directory, std::string_view name);
std::string KubeconfigPath(std::string_view directory);  // the user's, through the forwarder

// kNotFound if the directory holds no cluster, kCorruption if its record cannot be read.
base::Result<ClusterRecord> LoadRecord(std::string_view directory);
base::Status SaveRecord(const ClusterRecord& record);

// OK if the directory is missing, or holds no more than what a crash before the first record
// leaves: the lock, and the record's temporary file. Else kConflict.
base::Status CheckUnused(std::string_view directory);

// Keeps two commands from working on one cluster; kUnavailable if another one does. Released when
// the descriptor is closed.
base::Result<base::UniqueFd> LockDirectory(std::string_view directory);

}  // namespace plumb

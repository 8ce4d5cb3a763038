#include "plumb/dev/layout.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>

#include "base/hash.h"
#include "base/json.h"

namespace plumb {
namespace {

constexpr size_t kMaxRecordBytes = 64 << 10;
constexpr int kFirstNodeHost = 11;  // node1 is 10.77.0.11

std::string Join(std::string_view directory, std::string_view name) {
  return std::string(directory) + "/" + std::string(name);
}

}  // namespace

std::string PrefixOf(std::string_view directory) {
  const uint64_t hash = base::Fnv64(directory);
  char text[32];
  snprintf(text, sizeof(text), "plumb-%08x", static_cast<uint32_t>(hash ^ (hash >> 32)));
  return text;
}

Member RegistryMember(const ClusterRecord& record) {
  return {"registry", PrefixOf(record.directory) + "-net", std::string(kBridgeAddress),
          Join(record.directory, "registry")};
}

Member ServerMember(const ClusterRecord& record) {
  return {"server", PrefixOf(record.directory) + "-cp", std::string(kServerAddress),
          Join(record.directory, "server")};
}

Member NodeMember(const ClusterRecord& record, int number) {
  std::string name = "node" + std::to_string(number);
  return {name, PrefixOf(record.directory) + "-" + name,
          "10.77.0." + std::to_string(kFirstNodeHost + number - 1),
          Join(record.directory, "nodes/" + name)};
}

std::vector<Member> MembersOf(const ClusterRecord& record) {
  std::vector<Member> members = {RegistryMember(record), ServerMember(record)};
  for (int i = 1; i <= record.nodes; ++i) members.push_back(NodeMember(record, i));
  return members;
}

base::Result<Member> FindMember(const ClusterRecord& record, std::string_view name) {
  std::string names;
  for (Member& member : MembersOf(record)) {
    if (member.name == name) return std::move(member);
    names += (names.empty() ? "" : ", ") + member.name;
  }
  return {base::Code::kNotFound,
          "there is no \"" + std::string(name) + "\" in this cluster; it has " + names};
}

std::string RecordPath(std::string_view directory) { return Join(directory, "cluster.json"); }
std::string LockPath(std::string_view directory) { return Join(directory, "lock"); }
std::string LogPath(std::string_view directory, std::string_view name) {
  return Join(directory, "logs/" + std::string(name) + ".log");
}
std::string PidPath(std::string_view directory, std::string_view name) {
  return Join(directory, "run/" + std::string(name) + ".pid");
}
std::string KubeconfigPath(std::string_view directory) { return Join(directory, "kubeconfig"); }

base::Result<ClusterRecord> LoadRecord(std::string_view directory) {
  base::Result<std::string> text = base::ReadFile(RecordPath(directory), kMaxRecordBytes);
  if (!text.ok()) {
    if (text.status().code() != base::Code::kNotFound) return text.status();
    return {base::Code::kNotFound, "there is no cluster in " + std::string(directory) +
                                       "; `plumb dev up` makes one, --dir names another place"};
  }
  base::Result<base::Json> json = base::ParseJson(*text);
  int64_t nodes = json.ok() ? (*json)["nodes"].AsInt() : 0;
  if (nodes < 1 || nodes > kMaxDevNodes || (*json)["version"].AsInt() != 1) {
    return {base::Code::kCorruption,
            RecordPath(directory) + " is not a record of this version of plumb; " +
                "`plumb dev down` with the version that made it removes the cluster"};
  }
  ClusterRecord record;
  record.directory = directory;
  record.name = (*json)["name"].AsString();
  record.nodes = static_cast<int>(nodes);
  record.api_port = static_cast<uint16_t>((*json)["apiPort"].AsInt());
  record.registry_port = static_cast<uint16_t>((*json)["registryPort"].AsInt());
  record.made_root = (*json)["madeRoot"].AsString();
  return record;
}

base::Status SaveRecord(const ClusterRecord& record) {
  base::Json json = base::Json::MakeObject({{"version", 1},
                                            {"name", record.name},
                                            {"nodes", record.nodes},
                                            {"apiPort", int{record.api_port}},
                                            {"registryPort", int{record.registry_port}},
                                            {"madeRoot", record.made_root}});
  return base::WriteFileAtomic(RecordPath(record.directory), json.ToString() + "\n", 0600);
}

base::Status CheckUnused(std::string_view directory) {
  base::Result<std::vector<std::string>> names = base::ListDirectory(std::string(directory));
  if (!names.ok()) {
    return names.status().code() == base::Code::kNotFound ? base::Status() : names.status();
  }
  for (const std::string& name : *names) {
    if (name == "lock" || name.compare(0, 13, "cluster.json.") == 0) continue;
    return {base::Code::kConflict, std::string(directory) + " holds other files (" + name +
                                       "); a cluster needs a directory of its own, see --dir"};
  }
  return {};
}

base::Result<base::UniqueFd> LockDirectory(std::string_view directory) {
  std::string path = LockPath(directory);
  base::UniqueFd fd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd.valid()) return base::ErrnoStatus(path, errno);
  if (flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return fd;
  return {base::Code::kUnavailable, "another plumb dev command works on " + std::string(directory) +
                                        "; try again when it is done"};
}

}  // namespace plumb

// plumb_bench: the figures, a JSON object a line (figure.h).
//   plumb_bench [--dir DIR] [NAME...]   all, or the named ones
//   plumb_bench --list
//   plumb_bench --compare BEFORE NOW [NAME...]   two such outputs side by side (compare.h)
// Exit code 1 if something could not be measured; never because it was slow.
#include <signal.h>
#include <stdlib.h>

#include <cstdio>
#include <string_view>

#include "base/edge/files.h"
#include "tests/bench/bench.h"
#include "tests/bench/compare.h"

namespace bench {
namespace {

struct Entry {
  std::string_view name;
  std::string_view what;
  base::Status (*run)(const Context&);
};

constexpr Entry kAll[] = {
    {"store", "durable commits/s beside LevelDB and etcd on the same disk", &BenchStore},
    {"rest", "creates and lists through REST over TLS, and the server's memory", &BenchRest},
    {"watch", "1,000 watches: CPU and delay of events; the API while a large push is applied",
     &BenchWatch},
    {"memory", "100,000 pods: bytes a pod, snapshot, list, restart", &BenchMemory},
    {"repository", "1,000 to 100,000 manifests: the first sync, and pushes of one line",
     &BenchRepository},
    {"applications", "1,000 and 15,000 repositories, applied after a start", &BenchApplications},
    {"scheduler", "10,000 pods on 5,000 nodes, in memory and through the store", &BenchScheduler},
    {"pods", "from bound to running beside the bare CRI calls; idle memory (root)", &BenchPods},
};

// A directory of its own for each, so that none sees what another left.
base::Status RunOne(const Entry& entry, const std::string& root, const std::string& plumb) {
  std::string directory = root + "/b.XXXXXX";
  if (mkdtemp(directory.data()) == nullptr) return base::ErrnoStatus(directory, errno);
  const base::Status status = entry.run({directory, plumb});
  const base::Status removed = base::RemoveTree(directory);
  return status.ok() ? removed : status;
}

constexpr size_t kMaxOutputBytes = 16u << 20;

base::Result<std::vector<Row>> ReadRowsOf(std::string_view path) {
  ASSIGN_OR_RETURN(const std::string text, base::ReadFile(std::string(path), kMaxOutputBytes));
  base::Result<std::vector<Row>> rows = ReadRows(text);
  if (!rows.ok()) return rows.status().WithContext(std::string(path));
  return rows;
}

int Compare(const std::vector<std::string_view>& words) {
  if (words.size() < 2) {
    std::fprintf(stderr, "bench: --compare wants the outputs of two runs\n");
    return 2;
  }
  const base::Result<std::vector<Row>> before = ReadRowsOf(words[0]), now = ReadRowsOf(words[1]);
  for (const auto* rows : {&before, &now}) {
    if (rows->ok()) continue;
    std::fprintf(stderr, "bench: %s\n", rows->status().ToString().c_str());
    return 2;
  }
  const std::string text = CompareRows(*before, *now, {words.begin() + 2, words.end()});
  std::fputs(text.c_str(), stdout);
  return 0;
}

int Main(const std::vector<std::string_view>& words) {
  if (!words.empty() && words[0] == "--compare") return Compare({words.begin() + 1, words.end()});
  std::string root = "/var/tmp";  // a disk, where /tmp may be memory
  std::vector<const Entry*> wanted;
  for (size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--list") {
      for (const Entry& entry : kAll)
        std::printf("%-12s%s\n", std::string(entry.name).c_str(), std::string(entry.what).c_str());
      return 0;
    }
    if (words[i] == "--dir" && i + 1 < words.size()) {
      root = words[++i];
      continue;
    }
    const Entry* found = nullptr;
    for (const Entry& entry : kAll) {
      if (entry.name == words[i]) found = &entry;
    }
    if (found == nullptr) {
      std::fprintf(stderr, "bench: no figure is called %s; see --list\n",
                   std::string(words[i]).c_str());
      return 2;
    }
    wanted.push_back(found);
  }
  if (wanted.empty()) {
    for (const Entry& entry : kAll) wanted.push_back(&entry);
  }
  int failed = 0;
  for (const Entry* entry : wanted) {
    const base::Status status = RunOne(*entry, root, PLUMB_BINARY);
    if (status.ok()) continue;
    std::fprintf(stderr, "bench: %s: %s\n", std::string(entry->name).c_str(),
                 status.ToString().c_str());
    failed = 1;
  }
  return failed;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  signal(SIGPIPE, SIG_IGN);
  return bench::Main(std::vector<std::string_view>(argv + 1, argv + argc));
}

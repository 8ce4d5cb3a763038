// Network namespaces: made, entered and deleted under /run/netns, where ip(8) sees them too.
//
// Any thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace plumb {

std::string NamespacePath(std::string_view name);

// What tells namespaces apart while they exist.
struct NamespaceId {
  dev_t device = 0;
  ino_t inode = 0;
  auto operator<=>(const NamespaceId&) const = default;
};
// Of a file that is a namespace; none if `path` is something else or nothing.
std::optional<NamespaceId> ReadNamespaceId(const std::string& path);

// OK if it is there already. What a crash left half made under the name is replaced.
base::Status CreateNamespace(std::string_view name);
// OK if there is none. Its interfaces vanish with the last process in it.
base::Status DeleteNamespace(const std::string& path);

// The names that begin with `prefix`, sorted.
std::vector<std::string> ListNamespaces(std::string_view prefix);

// Runs `work` on a thread that has entered the namespace, and waits for it.
base::Status InNamespace(std::string_view name, const std::function<base::Status()>& work);

}  // namespace plumb

#include "plumb/commands/follow_applications.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <set>

namespace plumb {
namespace {

using base::Code;
using base::Json;
using base::Status;
using Look = std::function<bool(const std::string& application, const Json& object)>;

class Follower {
 public:
  Follower(Client& client, const std::string& name, base::Duration timeout, const Look& look)
      : client_(client), name_(name), timeout_(timeout), look_(look) {}

  Status Run() {
    for (bool first = true;; first = false) {
      const base::Result<Json> list = client_.Get(kKustomizationList);
      if (!list.ok() && first) return list.status();
      if (list.ok() && !LookAtAll(*list)) return NoSuchName(name_);
      if (list.ok() && pending_.empty()) return Status();
      const int64_t seconds = SecondsLeft();
      if (seconds <= 0) return Status(Code::kTimeout, "it has not ended");
      if (!list.ok()) {
        sleep(1);  // the server restarts
        continue;
      }
      const Status status = Watch(*list, seconds);
      if (none_left_) return NoSuchName(name_);
      if (pending_.empty()) return Status();
      if (status.code() == Code::kForbidden) return status;
    }
  }

 private:
  // False if there is none.
  bool LookAtAll(const Json& list) {
    const Applications chosen = ChooseApplications(list, name_);
    pending_.clear();
    for (const auto& [application, object] : chosen) {
      if (!look_(application, object)) pending_.insert(application);
    }
    return !chosen.empty();
  }

  Status Watch(const Json& list, int64_t seconds) {
    const std::string query = "?watch=true&resourceVersion=" +
                              std::string(list["metadata"]["resourceVersion"].AsString()) +
                              "&timeoutSeconds=" + std::to_string(seconds);
    return client_.Follow(kKustomizationList + query, [&](const Json& event) {
      const std::string_view type = event["type"].AsString();
      if (type == "ERROR") return false;  // too old: begin anew
      const std::string application(event["object"]["metadata"]["name"].AsString());
      if (!pending_.contains(application)) return true;
      const bool deleted = type == "DELETED";
      none_left_ = deleted && pending_.size() == 1;
      if (deleted || look_(application, event["object"])) pending_.erase(application);
      return !pending_.empty();
    });
  }

  // Rounded up: a server ends a watch at full seconds.
  int64_t SecondsLeft() const {
    const auto passed = std::chrono::steady_clock::now() - start_;
    const int64_t left =
        timeout_.millis() - std::chrono::duration_cast<std::chrono::milliseconds>(passed).count();
    return (left + 999) / 1000;
  }

  Client& client_;
  const std::string name_;
  const base::Duration timeout_;
  const Look& look_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::set<std::string> pending_;
  bool none_left_ = false;
};

}  // namespace

Applications ChooseApplications(const Json& list, const std::string& name) {
  Applications of_repository, of_name;
  for (const Json& object : list["items"].Elements()) {
    const std::string application(object["metadata"]["name"].AsString());
    if (object["spec"]["sourceRef"]["name"].AsString() == name) of_repository[application] = object;
    if (application == name) of_name[application] = object;
  }
  Applications& chosen = of_repository.empty() ? of_name : of_repository;
  const auto suspended = [](const auto& each) { return each.second["spec"]["suspend"].AsBool(); };
  if (!std::all_of(chosen.begin(), chosen.end(), suspended)) std::erase_if(chosen, suspended);
  return chosen;
}

Status NoSuchName(const std::string& name) {
  return Status(Code::kNotFound, "there is no repository \"" + name +
                                     "\" on the server; plumb repo list names those there are");
}

Status FollowApplications(Client& client, const std::string& name, base::Duration timeout,
                          const Look& look) {
  return Follower(client, name, timeout, look).Run();
}

}  // namespace plumb

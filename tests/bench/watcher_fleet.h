// WatcherFleet: many watches of one path, read by one thread over epoll, so that the readers cost
// little beside the server.
//
// Start and the queries from one thread. An event tells when it was sent by a member "sent" with
// Seconds() in nanoseconds as text.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/status.h"
#include "tests/support/api_connection.h"

namespace bench {

class WatcherFleet {
 public:
  static base::Result<std::unique_ptr<WatcherFleet>> Open(const testsupport::ApiTrust& trust,
                                                          int port, const std::string& target,
                                                          int count);
  ~WatcherFleet();

  size_t delivered() const { return delivered_; }
  // The delays of all events so far in seconds; call it after Close.
  const std::vector<double>& delays() const { return delays_; }
  base::Status Close();  // stops reading; the first error of any watch

 private:
  struct Watcher {
    explicit Watcher(testsupport::ApiConnection the_connection)
        : connection(std::move(the_connection)) {}
    testsupport::ApiConnection connection;
    std::string received, line;
  };
  WatcherFleet() = default;
  void Run();
  base::Status Read(Watcher& watcher);
  void TakeLines(Watcher& watcher);

  std::vector<std::unique_ptr<Watcher>> watchers_;
  base::UniqueFd epoll_;
  std::atomic<bool> stop_{false};
  std::atomic<size_t> delivered_{0};
  std::vector<double> delays_;
  base::Status failed_;
  std::thread thread_;
};

}  // namespace bench

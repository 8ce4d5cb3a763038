// MemoryHttp: an HTTP server without sockets: requests are handed to the handlers that were added,
// and their answers to who asked. For tests and the simulation.
//
// Loop only. A handler that never answers leaves the asker without one, as a connection that is
// cut.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "base/net/exchange.h"

namespace base {

class MemoryHttp final : public Routes {
 public:
  // How an answer arrives: whole, or as a head and the stream that the handler will write to.
  struct Asker {
    std::function<void(HttpResponse)> answered;
    // Where the bytes after the head go. Absent: the head is an answer without a body.
    std::function<std::unique_ptr<Stream>(HttpResponse)> started;
    // What an upgraded connection is to the handler. Absent: none is asked for.
    std::function<std::unique_ptr<Duplex>(HttpResponse)> upgraded;
  };

  void AddLoopHandler(std::string prefix, LoopHandler handler) override {
    handlers_[std::move(prefix)] = std::move(handler);
  }
  // What blocks on a worker has no place on virtual time.
  void AddWorkerHandler(std::string, WorkerHandler, WritesFunction) override {}

  // 404 if no prefix of the path is served.
  void Ask(IncomingRequest incoming, Asker asker);

 private:
  std::map<std::string, LoopHandler> handlers_;
};

}  // namespace base

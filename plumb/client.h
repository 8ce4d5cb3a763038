// Client: a command's connection to a server, by a kubeconfig (--kubeconfig, $KUBECONFIG, or the
// data directory's).
//
// Blocks; one thread.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/json.h"
#include "base/status.h"
#include "plumb/arguments.h"
#include "state/edge/http_client.h"

namespace plumb {

inline constexpr const char* kDefaultDataDir = "/var/lib/plumb";
inline constexpr const char* kKubeconfigFlag = "--kubeconfig";

class Client {
 public:
  // kNotFound with what to do if there is no kubeconfig.
  static base::Result<Client> Connect(const Arguments& arguments);

  // The answer of a 2xx, else the Status that the server sent.
  base::Result<base::Json> Get(const std::string& path);
  base::Result<base::Json> Send(const std::string& method, const std::string& path,
                                const base::Json& body);
  // Lines of a streamed answer, until `line` returns false or it ends.
  base::Status Follow(const std::string& path,
                      const std::function<bool(const base::Json& line)>& line);
  // The table that kubectl would print.
  base::Result<base::Json> GetTable(const std::string& path);

  const std::string& url() const { return url_; }

 private:
  base::Result<base::Json> Do(state::HttpCall call);
  std::string url_;
  std::shared_ptr<state::HttpClient> http_;
};

}  // namespace plumb

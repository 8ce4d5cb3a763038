// Client: a command's connection to a server, by a kubeconfig (--kubeconfig, $KUBECONFIG, or the
// data directory's).
//
// Blocks; one thread.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/json.h"
#include "base/net/edge/http_client.h"
#include "base/status.h"
#include "plumb/commands/arguments.h"

namespace plumb {

inline constexpr const char* kDefaultDataDir = "/var/lib/plumb";
inline constexpr const char* kKubeconfigFlag = "--kubeconfig";

inline constexpr base::Duration kClientWait = base::Duration::Hours(1);

class Client {
 public:
  // kNotFound with what to do if there is no kubeconfig. A call fails once nothing came from the
  // server for `max_wait`.
  static base::Result<Client> Connect(const Arguments& arguments,
                                      base::Duration max_wait = kClientWait);

  // The answer of a 2xx, else the Status that the server sent.
  base::Result<base::Json> Get(const std::string& path);
  base::Result<base::Json> Send(const std::string& method, const std::string& path,
                                const base::Json& body);
  base::Result<base::Json> Post(const std::string& path, const std::string& content_type,
                                std::string body);
  // The bytes of an answer as they come, without a limit; `take` ends the call with false.
  base::Status Read(const std::string& path,
                    const std::function<bool(std::string_view bytes)>& take);
  // Lines of a streamed answer, until `line` returns false or it ends.
  base::Status Follow(const std::string& path,
                      const std::function<bool(const base::Json& line)>& line);

  const std::string& url() const { return url_; }

 private:
  base::Result<base::Json> Do(base::HttpCall call);
  base::HttpCall Call(const char* method, const std::string& path) const;
  std::string url_, token_;
  std::shared_ptr<base::HttpClient> http_;
};

}  // namespace plumb

// HttpClient: blocking HTTPS (and HTTP) requests, for the agent's join, errands and the commands.
//
// One thread at a time, but for HangUp. It keeps a connection open between requests to the same
// server, follows no redirect, and stops at a named size.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "base/time.h"

namespace base {

struct HttpClientOptions {
  // Who is believed to be the server: one of these, or the system's authorities if both are empty.
  // The name in the URL must be in its certificate in any case.
  std::string ca_pem;
  // "sha256:...", see CertificateDigest: a CA of that digest must be in the chain that the server
  // shows. For a join, when only the digest is known.
  std::string ca_digest;
  // Shown to the server if it asks; both or none.
  std::string certificate_pem;
  std::string key_pem;
  Duration connect_timeout = Duration::Seconds(10);  // and TLS's handshake
  Duration read_timeout = Duration::Seconds(60);     // without a byte
  size_t max_response_bytes = 64u << 20;
  bool cut = false;  // a longer response is cut there, instead of being kTooLarge
  // The numeric address to connect to for a host; absent: what the system finds for the name. The
  // host's name stays the one that the certificate must have.
  std::function<Result<std::string>(const std::string& host)> resolve;
};

struct HttpCall {
  std::string method = "GET";
  std::string url;  // "https://host:port/path?query", encoded
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  // Takes the body of a 2xx response as it arrives, without a limit on its size; false ends the
  // call. Absent: the body is collected.
  std::function<bool(std::string_view)> on_data;
};

struct HttpAnswer {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

class HttpClient {
 public:
  explicit HttpClient(HttpClientOptions options);
  ~HttpClient();

  // Any answer, also 4xx and 5xx, is OK. kUnavailable if the server cannot be reached or hangs up,
  // kUnauthorized if it is not believed, kTooLarge beyond max_response_bytes, kCancelled if on_data
  // said so, kInvalid for a URL or key that does not parse.
  Result<HttpAnswer> Do(const HttpCall& call);

  // Ends the call under way, which then returns kUnavailable; there can be no other after it. Any
  // thread; does not wait.
  void HangUp();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace base

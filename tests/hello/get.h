// Get: the client that hammers a URL and counts what comes back.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hello {

struct Url {
  std::string host;
  uint16_t port = 80;
  std::string path = "/";
};
// "http://HOST[:PORT][/PATH]"; false if it is not of that form.
bool ParseUrl(std::string_view text, Url* url);

struct Reply {
  std::string error;  // "" for a complete answer of 200
  std::string version;
  std::string host;
  std::string body;
};
// One request over a new connection, to one of the addresses of the URL's host: the `pick`th,
// modulo their number.
Reply Fetch(const Url& url, uint32_t pick, int timeout_millis);

int GetCommand(int argc, char** argv);

}  // namespace hello

#include "plumb/commands/own_address.h"

#include "base/edge/process.h"

namespace plumb {

base::Result<std::string> AddressTowards(const std::string& host) {
  ASSIGN_OR_RETURN(const std::string route, base::RunChecked({"ip", "-4", "route", "get", host}));
  const size_t source = route.find(" src ");
  if (source == std::string::npos) {
    return base::Status(base::Code::kUnavailable, "no route to " + host);
  }
  return route.substr(source + 5, route.find_first_of(" \n", source + 5) - source - 5);
}

base::Result<std::string> DefaultAddress() { return AddressTowards("192.0.2.1"); }

}  // namespace plumb

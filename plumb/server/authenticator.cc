#include "plumb/server/authenticator.h"

namespace plumb {

bool MayPush(const base::Identity& identity) {
  return identity.InGroup("plumb:admin") || identity.InGroup("plumb:deployer");
}

}  // namespace plumb

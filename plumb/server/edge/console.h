// Console: the server's side of plumb's own commands: /plumb/v1/ on the API's port.
//
//   GET    /plumb/v1/repositories             what there is, and how it is
//   POST   /plumb/v1/repositories             {name, branch?, namespaces?, defaultNamespace?}
//   DELETE /plumb/v1/repositories/NAME
//   GET    /plumb/v1/plans                    {first, again}: plans that were committed
//   GET    /plumb/v1/tokens                   names and roles
//   POST   /plumb/v1/tokens                   {name, role}: the secret comes back once
//   DELETE /plumb/v1/tokens/NAME
//
// Loop only. Administrators only, but for reading the repositories.
#pragma once

#include "base/loop.h"
#include "base/net/exchange.h"
#include "gitsync/deploy/sync_engine.h"
#include "plumb/server/edge/credentials.h"
#include "state/store.h"

namespace plumb {

class Console {
 public:
  Console(state::Store& store, gitsync::SyncEngine& engine, Credentials& credentials)
      : store_(store), engine_(engine), credentials_(credentials) {}

  void Handle(base::IncomingRequest incoming, std::unique_ptr<base::Reply> reply);

 private:
  base::Result<base::Json> Answer(const base::HttpRequest& request, const base::Identity& identity);
  base::Json Tokens() const;
  base::Json Repositories() const;
  // True if it took the request: it answers when the change is durable.
  bool ChangeToken(const base::HttpRequest& request, const base::Identity& identity,
                   std::shared_ptr<base::Reply> reply);
  bool ChangeRepository(const base::HttpRequest& request, const base::Identity& identity,
                        std::shared_ptr<base::Reply> reply);

  state::Store& store_;
  gitsync::SyncEngine& engine_;
  Credentials& credentials_;
};

}  // namespace plumb

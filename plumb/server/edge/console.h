// Console: the server's side of plumb's own commands: /plumb/v1/ on the API's port.
//
//   GET    /plumb/v1/repositories             what there is, and how it is: of those that the user
//                                             may fetch from
//   POST   /plumb/v1/repositories             {name, branch?, namespaces?, defaultNamespace?}
//   DELETE /plumb/v1/repositories/NAME
//   POST   /plumb/v1/applications/NAME/sync     {requestedAt}: to have it applied now
//   POST   /plumb/v1/applications/NAME/suspend  {suspend: true or false}
//   GET    /plumb/v1/plans                    {first, again}: plans that were committed
//   GET    /plumb/v1/tokens                   names, roles, and what they are bound to
//   POST   /plumb/v1/tokens                   {name, role, ttl?, repositories?, branches?, verbs?};
//                                             with the role "join" {name?, ttl?, uses?, node?}:
//                                             the secret comes back once
//   DELETE /plumb/v1/tokens/NAME
//   POST   /plumb/v1/denied                   {node} or {serial}: certificates that count no more
//
// Loop only. Who may do what of this, says state/authorize.h.
#pragma once

#include "base/loop.h"
#include "base/net/exchange.h"
#include "gitsync/deploy/sync_engine.h"
#include "plumb/server/edge/credentials.h"
#include "state/store.h"
#include "state/writer.h"

namespace plumb {

class Console {
 public:
  // `context` as of every draft.
  Console(base::Loop& loop, state::Store& store, const state::DraftContext& context,
          gitsync::SyncEngine& engine, Credentials& credentials);

  void Handle(base::IncomingRequest incoming, std::unique_ptr<base::Reply> reply);

 private:
  base::Result<base::Json> Answer(const base::HttpRequest& request, const base::Identity& identity);
  base::Json Tokens() const;
  base::Json Repositories(const base::Identity& identity) const;
  // True if it took the request: it answers when the change is durable.
  bool ChangeToken(const base::HttpRequest& request, const base::Identity& identity,
                   std::shared_ptr<base::Reply> reply);
  void Deny(const base::HttpRequest& request, const base::Identity& identity,
            const std::shared_ptr<base::Reply>& reply);
  bool ChangeRepository(const base::HttpRequest& request, const base::Identity& identity,
                        std::shared_ptr<base::Reply> reply);
  bool ChangeApplication(const base::HttpRequest& request, const base::Identity& identity,
                         std::shared_ptr<base::Reply> reply);

  state::Store& store_;
  state::Writer writer_;
  gitsync::SyncEngine& engine_;
  Credentials& credentials_;
};

}  // namespace plumb

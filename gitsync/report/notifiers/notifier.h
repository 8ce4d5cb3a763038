// Notifier: how those are told of a deploy's end whom Flux's Providers of one type name. A type is
// a file of this folder and a row in all.cc.
//
// A value of pure functions; any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/status.h"
#include "base/time.h"
#include "gitsync/plan/history.h"
#include "state/errands/http_caller.h"
#include "state/object.h"

namespace gitsync {

// What there is to tell.
struct DeployEvent {
  const Deploy& deploy;
  const state::Object& application;  // its Kustomization
  std::string id;                    // the same for all who hear of it
  std::string source;                // where the commits are from: a URL
  base::Json metadata;               // the Alert's own, with its summary
};
std::string EventName(const Deploy& deploy);  // "dev.plumb.deploy.healthy"

// The Secret that a Provider names, if it names one, and if it is there.
struct ProviderSecret {
  std::string name;
  state::ObjectPtr object;

  // The text under a key. kNotFound, in words that name both.
  base::Result<std::string> Get(std::string_view key) const;
  bool Has(std::string_view key) const;
};

// One attempt at a delivery.
struct Attempt {
  std::string id;  // the same at each attempt
  base::WallTime now;
  const ProviderSecret& secret;
};

struct Notifier {
  std::string_view type;  // of the Provider: "generic"
  // What the key "token" of the Provider's Secret is for, as a sentence that asks for it. Empty: it
  // needs none.
  std::string_view token;
  // What is sent: made when the deploy ends, and byte for byte the same at each attempt.
  std::string (*body)(const DeployEvent& event);
  // Completes the call, which has its address and body: headers, a signature. An error is an
  // attempt that failed, and does not tell the secret.
  base::Status (*address)(const Attempt& attempt, state::HttpCall& call);
  // Data of an earlier format than 3 may have Providers of the type that nothing was sent by.
  bool since_errands = false;
};

// By type.
std::span<const Notifier* const> AllNotifiers();
// Null if Providers of this type are not acted on.
const Notifier* FindNotifier(std::string_view type);

}  // namespace gitsync

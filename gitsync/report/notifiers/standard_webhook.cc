// plumb's own type: a CloudEvent 1.0 as structured JSON, signed as Standard Webhooks says.
#include "gitsync/report/notifiers/notifier.h"
#include "gitsync/report/notifiers/webhook_signature.h"

namespace gitsync {
namespace {

using base::Json;

std::string Body(const DeployEvent& event) {
  const Deploy& deploy = event.deploy;
  const bool failed = deploy.phase == DeployPhase::kFailed;
  Json data = Json::MakeObject({{"repository", deploy.repository},
                                {"branch", deploy.branch()},
                                {"commit", deploy.commit()},
                                {"revision", deploy.revision},
                                {"outcome", PhaseName(deploy.phase)},
                                {"severity", failed ? "error" : "info"},
                                {"message", failed ? deploy.message : ""},
                                {"metadata", event.metadata}});
  if (deploy.application != deploy.repository) data.Set("application", deploy.application);
  return Json::MakeObject({{"specversion", "1.0"},
                           {"id", event.id},
                           {"source", event.source},
                           {"type", EventName(deploy)},
                           {"subject", deploy.revision},
                           {"time", deploy.since.ToString()},
                           {"datacontenttype", "application/json"},
                           {"data", std::move(data)}})
      .ToString();
}

base::Status Address(const Attempt& attempt, state::HttpCall& call) {
  ASSIGN_OR_RETURN(const std::string token, attempt.secret.Get("token"));
  ASSIGN_OR_RETURN(const std::string key, ParseSigningSecret(token));
  call.headers = {{"Content-Type", "application/cloudevents+json; charset=utf-8"},
                  {"User-Agent", "plumb"},
                  {"webhook-id", attempt.id},
                  {"webhook-timestamp", std::to_string(attempt.now.seconds())},
                  {"webhook-signature", SignWebhook(key, attempt.id, attempt.now, call.body)}};
  return base::Status();
}

}  // namespace

extern constinit const Notifier kStandardWebhookNotifier = {
    .type = "standard-webhook",
    .token =
        "must name a Secret whose key token signs what is sent: \"whsec_\" and 24 to 64 "
        "random bytes in base64",
    .body = Body,
    .address = Address,
};

}  // namespace gitsync

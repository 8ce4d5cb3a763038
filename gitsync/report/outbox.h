// Outbox: sends what the state's Deliveries hold, and records how that went.
//
// Loop only. Level-triggered by Delivery: nothing is remembered that the state does not say, so a
// restart goes on where the last process was; what was on its way then is sent once more, under the
// same webhook-id. A Provider is sent one webhook at a time. The Store, Loop and sender outlive it.
#pragma once

#include <map>
#include <set>
#include <utility>

#include "base/lifeline.h"
#include "base/loop.h"
#include "base/rng.h"
#include "base/subscription.h"
#include "gitsync/report/delivery_plan.h"
#include "gitsync/report/webhook.h"
#include "state/store.h"
#include "state/writer.h"

namespace gitsync {

inline constexpr size_t kMaxSending = 8;           // webhooks on their way at once
inline constexpr size_t kMaxDeliveriesATurn = 64;  // looked at before others have their turn

class Outbox {
 public:
  Outbox(base::Loop& loop, state::Store& store, const state::DraftContext& context,
         WebhookSender& sender);
  ~Outbox();

  // Nothing is on its way or due now; some may wait for their time.
  bool Idle() const { return sending_.empty() && touched_.empty(); }

 private:
  void Touch(const state::Key& key);
  void TouchAll(const std::string& ns);
  void Run();
  void LookAtClock();
  void Consider(const state::Key& key);
  void Send(const state::ObjectPtr& delivery, WebhookCall call);
  void Answered(const state::Key& key, const WebhookAnswer& answer);
  void Record(const state::Key& key, base::Json status);
  void Remove(const state::Key& key);
  void Commit(const state::Key& key, const state::Draft& draft, const base::Status& status);
  void WaitUntil(const state::Key& key, base::WallTime at);
  void SetTimer();

  base::Loop& loop_;
  state::Store& store_;
  WebhookSender& sender_;
  state::Writer writer_;
  base::Rng rng_;  // spreads attempts

  std::set<state::Key> touched_;  // to be looked at in the next turn
  bool posted_ = false;
  std::map<state::Key, base::WallTime> waiting_;             // Deliveries until their time
  std::set<std::pair<base::WallTime, state::Key>> by_time_;  // the same
  std::map<std::pair<std::string, std::string>, state::Key> sending_;  // by namespace and Provider
  std::set<state::Key> blocked_;  // due, while their Provider or too many others are being sent to
  base::Loop::TimerId timer_ = 0;
  base::WallTime looked_;  // at the clock, last
  base::Subscription on_commit_;
  base::Lifeline lifeline_;
};

}  // namespace gitsync

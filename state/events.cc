// Events explain. One object stands for all equal ones (same object, type, reason and message): it
// counts them, and its name follows from what it says, so that the same news never makes a second
// object. The reconciler removes them after an hour. An event is never worth a
// failure: one that cannot be written is dropped.
#include "state/events.h"

#include <string>

#include "base/hash.h"

namespace state {
namespace {

constexpr size_t kMaxEventMessage = 1024;  // bytes, as in Kubernetes

std::string Hex(uint32_t number) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (int shift = 28; shift >= 0; shift -= 4) text += kDigits[number >> shift & 15];
  return text;
}

}  // namespace

void WriteEvent(Draft& draft, const Object& object, EventType type, std::string_view reason,
                std::string_view message, const EventSource& source) {
  message = message.substr(0, kMaxEventMessage);
  const std::string_view type_name = type == EventType::kNormal ? "Normal" : "Warning";
  const std::string ns = object.key.ns.empty() ? "default" : object.key.ns;
  const std::string digest = std::string(object.Uid()) + '\n' + std::string(type_name) + '\n' +
                             std::string(reason) + '\n' + std::string(message);
  const std::string name = object.key.name + "." + Hex(base::Crc32c(digest));
  const std::string now = draft.context().now.ToString();

  const ObjectPtr existing = draft.view().Get("events", ns, name);
  if (existing != nullptr) {
    base::Json event = existing->document.ToJson();
    event.Set("count", event["count"].AsInt(1) + 1);
    event.Set("lastTimestamp", now);
    (void)draft.Update(std::move(event));
    return;
  }
  base::Json event = base::Json::MakeObject(
      {{"apiVersion", "v1"},
       {"kind", "Event"},
       {"metadata", base::Json::MakeObject({{"name", name}, {"namespace", ns}})},
       {"involvedObject",
        base::Json::MakeObject({{"apiVersion", object["apiVersion"].AsString()},
                                {"kind", object["kind"].AsString()},
                                {"name", object.key.name},
                                {"uid", object.Uid()},
                                {"resourceVersion", std::to_string(object.revision)}})},
       {"type", type_name},
       {"reason", reason},
       {"message", message},
       {"source", base::Json::MakeObject({{"component", source.component}})},
       {"reportingComponent", source.component},
       {"reportingInstance", source.host},
       {"firstTimestamp", now},
       {"lastTimestamp", now},
       {"count", 1}});
  if (!object.key.ns.empty()) event["involvedObject"].Set("namespace", object.key.ns);
  if (!source.host.empty()) event["source"].Set("host", source.host);
  (void)draft.Create(std::move(event));
}

}  // namespace state

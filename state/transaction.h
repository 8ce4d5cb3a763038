// Transaction: what a commit changes, all or nothing. A value.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/document.h"
#include "state/actor.h"
#include "state/object.h"

namespace state {

// 1.5 MiB of JSON, as Kubernetes' store; of a kind that says so, more (KindFacts::max_bytes).
inline constexpr size_t kMaxObjectBytes = 3u << 19;
inline constexpr size_t kMaxTransactionWrites = 200'000;  // objects in one transaction

struct Write {
  Key key;
  // The new object, with a metadata.resourceVersion that the store will replace; absent: the object
  // is removed.
  std::optional<base::Document> document;
  // What the writer saw: the object's revision, 0 for "there is none". Anything else by now is a
  // conflict.
  Revision expected = 0;
  manifests::ManagedFieldsPtr managers = nullptr;  // of `document`
};

struct Transaction {
  std::vector<Write> writes;  // at most one per key; they take revisions in this order
  ActorPtr actor = nullptr;
  bool empty() const { return writes.empty(); }
};

// One entry of the change log.
struct Change {
  Revision revision = 0;
  ObjectPtr object;  // as it is now; of a removed object the last state, stamped with the removal's
                     // revision
  ObjectPtr previous;  // as it was before; null if it was created
  bool removed = false;
  ActorPtr actor = nullptr;  // null if it is not known: the change was read back from the Storage

  bool created() const { return previous == nullptr; }
  const Key& key() const { return object->key; }
};

}  // namespace state

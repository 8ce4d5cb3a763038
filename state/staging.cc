// A prepared transaction holds as long as nobody has changed an object that it writes: then its
// preconditions are what they were, and what others have changed is put into its View.
#include "state/staging.h"

#include <algorithm>
#include <string>
#include <utility>

#include "manifests/kinds/kind_facts.h"
#include "state/record.h"

namespace state {
namespace {

base::Status CheckWrite(const Write& write, const Object* previous) {
  if ((previous != nullptr ? previous->revision : 0) != write.expected) {
    return base::Status(base::Code::kConflict,
                        write.key.ToString() +
                            " was changed meanwhile; read it again and apply the change to that");
  }
  const size_t bytes = write.document ? write.document->Bytes().size() : 0;
  if (bytes <= kMaxObjectBytes) return base::Status();
  const size_t limit = std::max(kMaxObjectBytes, manifests::FactsOf(write.key.resource).max_bytes);
  if (bytes <= limit) return base::Status();
  return base::Status(base::Code::kTooLarge, write.key.ToString() + " has " +
                                                 std::to_string(bytes) + " bytes; the limit is " +
                                                 std::to_string(limit));
}

StagedWrite Stage(const Write& write, ObjectPtr previous, Revision revision, OwnerPool& owners) {
  // A removal names an object that exists: `expected` was not 0.
  CHECK(write.document || previous);
  const base::Document& document = write.document ? *write.document : previous->document;
  auto object = std::make_shared<Object>();
  object->key = write.key;
  object->revision = revision;
  object->managers = owners.Share(write.document ? write.managers : previous->managers);
  object->document = document.WithString("metadata", "resourceVersion", std::to_string(revision));
  const size_t bytes = RecordSize(Record{!write.document, /*last=*/false, object});
  return {std::move(object), std::move(previous), !write.document, bytes};
}

}  // namespace

base::Result<std::vector<StagedWrite>> StageWrites(std::span<const Write> writes, const View& view,
                                                   Revision last, OwnerPool& owners) {
  std::vector<StagedWrite> staged;
  staged.reserve(writes.size());
  for (const Write& write : writes) {
    ObjectPtr previous = view.Get(write.key);
    RETURN_IF_ERROR(CheckWrite(write, previous.get()));
    staged.push_back(Stage(write, std::move(previous), ++last, owners));
  }
  return staged;
}

// Its managers come from a pool of its own: what is equal within it is kept once.
PreparedTransaction::PreparedTransaction(const View& view, std::span<const Write> writes)
    : before_(view), after_(view) {
  OwnerPool owners;
  auto staged = StageWrites(writes, before_, before_.revision(), owners);
  if (!staged.ok()) return;
  staged_ = *std::move(staged);
  for (const StagedWrite& each : staged_) {
    each.removed ? after_.Remove(each.object->key) : after_.Put(each.object);
  }
}

// An object is the same in both Views if the transaction does not write it.
bool PreparedTransaction::MoveTo(const View& now, std::span<const Change> changes) {
  for (const Change& change : changes) {
    if (after_.Get(change.key()) != before_.Get(change.key())) return false;
  }
  for (const Change& change : changes) {
    change.removed ? after_.Remove(change.key()) : after_.Put(change.object);
  }
  const bool moved = now.revision() != before_.revision();
  before_ = now;
  Revision revision = now.revision();
  for (StagedWrite& each : staged_) {
    if (moved) Restamp(each, ++revision);
  }
  return true;
}

// Most have room for the new number. One that has not is filed anew: indexes refer to its text.
void PreparedTransaction::Restamp(StagedWrite& write, Revision revision) {
  const std::string text = std::to_string(revision);
  Object& object = *write.object;
  object.revision = revision;
  if (object.document.OverwriteString("metadata", "resourceVersion", text)) return;
  if (!write.removed) after_.Remove(object.key);
  object.document = object.document.WithString("metadata", "resourceVersion", text);
  write.record_bytes = RecordSize(Record{write.removed, /*last=*/false, write.object});
  if (!write.removed) after_.Put(write.object);
}

}  // namespace state

#include "manifests/apply/managed_fields.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace manifests {
namespace {

using base::Code;
using base::Json;
using base::Result;
using base::Status;

auto Rank(const ManagedEntry& entry) {
  const FieldManager& manager = *entry.manager;
  return std::make_tuple(!manager.applies, entry.time.nanos(), std::string_view(manager.name),
                         std::string_view(manager.api_version),
                         std::string_view(manager.subresource));
}

Result<ManagedEntry> ParseEntry(const Json& entry) {
  const std::string_view operation = entry["operation"].AsString();
  if (operation != "Apply" && operation != "Update")
    return Status(Code::kInvalid, "operation: must be Apply or Update");
  if (const std::string_view type = entry["fieldsType"].AsString(); type != "FieldsV1")
    return Status(Code::kInvalid, "fieldsType: must be FieldsV1");
  const std::string_view name = entry["manager"].AsString();
  if (name.size() > kMaxManagerBytes) return Status(Code::kInvalid, "manager: is too long");
  ManagedEntry parsed;
  parsed.manager = std::make_shared<const FieldManager>(FieldManager{
      std::string(name), operation == "Apply", std::string(entry["apiVersion"].AsString()),
      std::string(entry["subresource"].AsString())});
  if (const std::string_view time = entry["time"].AsString(); !time.empty()) {
    ASSIGN_OR_RETURN(parsed.time, base::WallTime::Parse(time));
  }
  ASSIGN_OR_RETURN(FieldSet fields, FieldSet::FromJson(entry["fieldsV1"]));
  parsed.fields = std::make_shared<const FieldSet>(std::move(fields));
  return parsed;
}

// In canonical form.
void AppendEntry(const ManagedEntry& entry, std::string& out) {
  const auto text = [&](std::string_view name, std::string_view value) {
    if (value.empty()) return;
    out.append(",\"").append(name).append("\":");
    base::AppendQuoted(value, out);
  };
  out += "{\"apiVersion\":";
  base::AppendQuoted(entry.manager->api_version, out);
  out += ",\"fieldsType\":\"FieldsV1\",\"fieldsV1\":";
  entry.fields->AppendJson(out);
  text("manager", entry.manager->name);
  text("operation", entry.manager->applies ? "Apply" : "Update");
  text("subresource", entry.manager->subresource);
  if (!entry.time.IsZero()) text("time", entry.time.ToString());
  out += '}';
}

}  // namespace

bool FieldManager::IsSame(const FieldManager& other) const {
  return name == other.name && applies == other.applies && subresource == other.subresource &&
         (applies || api_version == other.api_version);
}

Result<ManagedFields> ParseManagedFields(const Json& list) {
  ManagedFields entries;
  for (size_t i = 0; i < list.size(); ++i) {
    Result<ManagedEntry> entry = ParseEntry(list.At(i));
    if (!entry.ok())
      return entry.status().WithContext("metadata.managedFields[" + std::to_string(i) + "]");
    if (!entry->fields->empty()) entries.push_back(*std::move(entry));
  }
  SortEntries(entries);
  return entries;
}

void PrintedEntries::Append(const ManagedEntry& entry, std::string& out) {
  if (entry.fields->IsDifference()) return AppendEntry(entry, out);  // no other object has it
  const Key key(entry.fields.get(), entry.manager.get(), entry.time.nanos());
  const auto [it, is_new] = places_.try_emplace(key, Place{out.size()});
  Place& place = it->second;
  if (!is_new) {
    out.append(out, place.offset, place.size);
    return;
  }
  AppendEntry(entry, out);
  place.size = out.size() - place.offset;
}

void AppendManagedFields(const ManagedFields& entries, std::string& out, PrintedEntries* printed) {
  out += '[';
  for (const ManagedEntry& entry : entries) {
    if (out.back() != '[') out += ',';
    if (printed != nullptr) {
      printed->Append(entry, out);
    } else {
      AppendEntry(entry, out);
    }
  }
  out += ']';
}

bool SameOwners(const ManagedFields& a, const ManagedFields& b) {
  if (a.size() != b.size()) return false;
  // Times order the entries, so that they may stand in another order.
  return std::all_of(a.begin(), a.end(), [&](const ManagedEntry& entry) {
    return std::any_of(b.begin(), b.end(), [&](const ManagedEntry& other) {
      return *entry.manager == *other.manager &&
             (entry.fields == other.fields || *entry.fields == *other.fields);
    });
  });
}

void SortEntries(ManagedFields& entries) {
  std::sort(entries.begin(), entries.end(),
            [](const ManagedEntry& a, const ManagedEntry& b) { return Rank(a) < Rank(b); });
}

}  // namespace manifests

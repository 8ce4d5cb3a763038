// A cell is what its column's path says, or what is known of the kind. Where the path leads
// nowhere, a number is 0, an age "<unknown>" and a text "<none>".
#include "state/api/tables.h"

#include <algorithm>
#include <string>
#include <utility>

#include "manifests/kinds/cells.h"

namespace state {
namespace {

using base::Json;
using manifests::Column;
using manifests::Kind;

constexpr std::string_view kApiVersion = "meta.k8s.io/v1";

// ".status.podIP": member after member.
base::Value AtPath(const Object& object, std::string_view path) {
  base::Value value = object.document.root();
  while (!path.empty()) {
    path.remove_prefix(path.front() == '.' ? 1 : 0);
    const size_t end = std::min(path.find('.'), path.size());
    value = value[path.substr(0, end)];
    path.remove_prefix(end);
  }
  return value;
}

Json PathCell(const Column& column, const Object& object, base::WallTime now) {
  const base::Value value = AtPath(object, column.path);
  if (column.type == "date") return manifests::AgeOf(value.AsString(), now);
  if (column.type == "integer") return value.AsInt();
  if (value.IsNull() || (value.IsString() && value.AsString().empty())) return "<none>";
  if (value.IsString()) return value.AsString();
  return value.Bytes();
}

// A cell that is not there is seen by tables_test, which asks for each that the types name.
Json Cell(const std::string& resource, const Column& column, const Object& object,
          base::WallTime now) {
  if (!column.path.starts_with('=')) return PathCell(column, object, now);
  const manifests::NamedCell* cell =
      manifests::FindCell(resource, std::string_view(column.path).substr(1));
  return cell == nullptr ? Json("<unknown>") : cell->cell(object.document.root(), now);
}

Json Header(const Column& column) {
  return Json::MakeObject({{"name", column.name},
                           {"type", column.type},
                           {"format", column.format},
                           {"description", ""},
                           {"priority", column.priority}});
}

Json Row(const Kind& kind, const Object& object, std::string_view include_object,
         base::WallTime now) {
  Json cells = Json::MakeArray();
  const std::string resource = kind.Resource();
  for (const Column& column : kind.columns) cells.Append(Cell(resource, column, object, now));
  Json row = Json::MakeObject({{"cells", std::move(cells)}});
  if (include_object == "Object") {
    row.Set("object", ToClientJson(object));
  } else if (include_object != "None") {
    row.Set("object", Json::MakeObject({{"apiVersion", kApiVersion},
                                        {"kind", "PartialObjectMetadata"},
                                        {"metadata", object["metadata"].ToJson()}}));
  }
  return row;
}

}  // namespace

Json MakeTable(const Kind& kind, const std::vector<ObjectPtr>& objects,
               std::string_view include_object, base::WallTime now, bool with_headers) {
  Json headers = Json::MakeArray();
  if (with_headers) {
    for (const Column& column : kind.columns) headers.Append(Header(column));
  }
  Json rows = Json::MakeArray();
  for (const ObjectPtr& object : objects) rows.Append(Row(kind, *object, include_object, now));
  return Json::MakeObject({{"apiVersion", kApiVersion},
                           {"kind", "Table"},
                           {"metadata", Json::MakeObject()},
                           {"columnDefinitions", std::move(headers)},
                           {"rows", std::move(rows)}});
}

}  // namespace state

// Rules:
// - Fields that the schema does not know are dropped, as REST does unless it is asked to be strict:
//   an agent may be of a newer plumb.
// - Of a list or map below the status the element that is wrong goes, else the whole member. What
//   is then still wrong goes as a member; a status that is wrong after that is refused.
#include "nodeagent/hub/reported_status.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>
#include <vector>

#include "manifests/validate.h"

namespace nodeagent {
namespace {

using base::Json;
using manifests::Problem;

constexpr std::string_view kPrefix = "status.";

std::vector<Problem> ProblemsOf(const manifests::Kind& kind, const Json& object) {
  std::vector<Problem> problems =
      manifests::Validate(kind, object, manifests::UnknownFields::kIgnore).errors;
  std::erase_if(problems,
                [](const Problem& problem) { return !problem.field.starts_with("status"); });
  return problems;
}

// "status.conditions[2].type" is in the member "conditions", and there in "2".
struct Place {
  std::string member, element;  // an empty element: the member itself
  bool operator<(const Place& other) const {
    return std::pair(member, element) < std::pair(other.member, other.element);
  }
};

std::optional<Place> PlaceOf(std::string_view field) {
  if (!field.starts_with(kPrefix)) return std::nullopt;
  field.remove_prefix(kPrefix.size());
  const size_t end = std::min(field.find_first_of(".["), field.size());
  Place place{std::string(field.substr(0, end)), ""};
  if (end < field.size() && field[end] == '[') {
    field.remove_prefix(end + 1);
    place.element = field.substr(0, field.find(']'));
  }
  return place;
}

void Remove(Json& status, const std::set<Place>& places) {
  std::set<std::pair<std::string, size_t>> elements;
  for (const Place& place : places) {
    Json* member = status.Find(place.member);
    size_t index = 0;
    const char* end = place.element.data() + place.element.size();
    if (member == nullptr) continue;
    if (member->IsObject() && member->Has(place.element)) {
      member->Remove(place.element);
    } else if (member->IsArray() && !place.element.empty() &&
               std::from_chars(place.element.data(), end, index).ptr == end &&
               index < member->size()) {
      elements.emplace(place.member, index);
    } else {
      status.Remove(place.member);
    }
  }
  for (auto each = elements.rbegin(); each != elements.rend(); ++each) {
    Json* member = status.Find(each->first);
    if (member == nullptr) continue;
    Json::Array& list = member->MutableElements();
    list.erase(list.begin() + static_cast<std::ptrdiff_t>(each->second));
  }
}

}  // namespace

base::Result<Json> ValidStatus(const manifests::Kind& kind, const std::string& name, Json status,
                               std::string& wrong) {
  Json object = Json::MakeObject({{"apiVersion", kind.ApiVersion()},
                                  {"kind", kind.kind},
                                  {"metadata", Json::MakeObject({{"name", name}})},
                                  {"status", std::move(status)}});
  manifests::DropUnknown(kind, object);
  for (const bool elements : {true, false}) {
    const std::vector<Problem> problems = ProblemsOf(kind, object);
    if (problems.empty()) return std::move(object["status"]);
    std::set<Place> places;
    for (const Problem& problem : problems) {
      if (elements) wrong += (wrong.empty() ? "" : ", ") + problem.field + ": " + problem.message;
      std::optional<Place> place = PlaceOf(problem.field);
      if (!place) return manifests::ToStatus(kind, name, problems);
      if (!elements) place->element.clear();
      places.insert(*std::move(place));
    }
    Remove(object["status"], places);
  }
  const std::vector<Problem> problems = ProblemsOf(kind, object);
  if (!problems.empty()) return manifests::ToStatus(kind, name, problems);
  return std::move(object["status"]);
}

}  // namespace nodeagent

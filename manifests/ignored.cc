#include "manifests/ignored.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include "manifests/walk.h"

namespace manifests {
namespace {

// A field of a message ("core/v1 PodSpec", "os") is one row, however many paths lead to it.
using Row = std::pair<std::string, std::string>;

struct Occurrence {
  std::string path;  // the shortest
  std::vector<std::string> kinds;
  std::string missing;  // empty: all of it
};

std::string MissingOf(const Field& field) {
  if (field.ignored) return "";
  std::string values;
  for (const std::string& value : field.partly_for) {
    values += (values.empty() ? "" : ", ") + value;
  }
  return (values.empty() ? "" : values + ": ") + field.partly;
}

class Collector {
 public:
  void Visit(const Kind& kind) {
    kind_ = &kind;
    if (kind.ignored) Add({"", kind.kind}, "", "");
    Visit(*kind.root, "");
  }
  const std::map<Row, Occurrence>& places() const { return places_; }

 private:
  void Visit(const Message& message, const std::string& path) {
    // A message inside itself adds nothing.
    if (std::find(open_.begin(), open_.end(), &message) != open_.end()) return;
    open_.push_back(&message);
    for (const Field& field : message.fields) {
      // Nobody asks for anything in a status.
      if (open_.size() == 1 && field.name == "status") continue;
      const std::string at = field.inlined ? path : Join(path, field.name) + Suffix(field);
      if (field.ignored || !field.partly.empty()) {
        Add({message.group + " " + message.name, field.name}, at, MissingOf(field));
      }
      if (!field.ignored && field.message != nullptr) Visit(*field.message, at);
    }
    open_.pop_back();
  }

  static std::string Suffix(const Field& field) {
    switch (field.shape) {
      case Shape::kSingle: return "";
      case Shape::kList: return "[]";
      case Shape::kMap: return "{}";
    }
    return "";
  }

  void Add(const Row& row, const std::string& path, std::string missing) {
    Occurrence& place = places_[row];
    place.missing = std::move(missing);
    if (place.kinds.empty() || path.size() < place.path.size()) place.path = path;
    if (place.kinds.empty() || place.kinds.back() != kind_->kind) {
      place.kinds.push_back(kind_->kind);
    }
  }

  const Kind* kind_ = nullptr;
  std::vector<const Message*> open_;
  std::map<Row, Occurrence> places_;
};

}  // namespace

std::string IgnoredFieldsTable(const Schema& schema) {
  Collector collector;
  for (const Kind* kind : schema.kinds()) collector.Visit(*kind);
  std::vector<std::tuple<std::string, std::string, std::string>> rows;  // kinds, path, missing
  for (const auto& [row, place] : collector.places()) {
    std::vector<std::string> kinds = place.kinds;
    std::sort(kinds.begin(), kinds.end());
    std::string list;
    for (const std::string& kind : kinds) list += (list.empty() ? "" : ", ") + kind;
    if (kinds.size() == schema.kinds().size()) list = "all";
    rows.emplace_back(list, place.path, place.missing);
  }
  std::sort(rows.begin(), rows.end());
  std::string table = "| Field | Kinds | Missing |\n|---|---|---|\n";
  for (const auto& [kinds, path, missing] : rows) {
    table += "| " + (path.empty() ? "the kind" : "`" + path + "`") + " | " + kinds + " | " +
             (missing.empty() ? "all of it" : missing) + " |\n";
  }
  return table;
}

std::string IgnoredFieldsPage(const Schema& schema) {
  return "# What is accepted, but not acted on\n"
         "These fields, and all of these kinds, are checked and kept like all others, so that "
         "manifests from elsewhere\nwork. plumb does not act on them yet: a push and kubectl print "
         "a warning for each. Generated from types/*.yaml\nby `ninja -C build ignored`.\n\n" +
         IgnoredFieldsTable(schema);
}

}  // namespace manifests

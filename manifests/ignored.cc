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

struct Place {
  std::string path;  // the shortest
  std::vector<std::string> kinds;
};

class Collector {
 public:
  void Visit(const Kind& kind) {
    kind_ = &kind;
    Visit(*kind.root, "");
  }
  const std::map<Row, Place>& places() const { return places_; }

 private:
  void Visit(const Message& message, const std::string& path) {
    // A message inside itself adds nothing.
    if (std::find(open_.begin(), open_.end(), &message) != open_.end()) return;
    open_.push_back(&message);
    for (const Field& field : message.fields) {
      // Nobody asks for anything in a status.
      if (open_.size() == 1 && field.name == "status") continue;
      const std::string at = field.inlined ? path : Join(path, field.name) + Suffix(field);
      if (field.ignored) {
        Add({message.group + " " + message.name, field.name}, at);
      } else if (field.message != nullptr) {
        Visit(*field.message, at);
      }
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

  void Add(const Row& row, const std::string& path) {
    Place& place = places_[row];
    if (place.path.empty() || path.size() < place.path.size()) place.path = path;
    if (place.kinds.empty() || place.kinds.back() != kind_->kind) {
      place.kinds.push_back(kind_->kind);
    }
  }

  const Kind* kind_ = nullptr;
  std::vector<const Message*> open_;
  std::map<Row, Place> places_;
};

}  // namespace

std::string IgnoredFieldsTable(const Schema& schema) {
  Collector collector;
  for (const Kind* kind : schema.kinds()) collector.Visit(*kind);
  std::vector<std::pair<std::string, std::string>> rows;
  for (const auto& [row, place] : collector.places()) {
    std::vector<std::string> kinds = place.kinds;
    std::sort(kinds.begin(), kinds.end());
    std::string list;
    for (const std::string& kind : kinds) list += (list.empty() ? "" : ", ") + kind;
    if (kinds.size() == schema.kinds().size()) list = "all";
    rows.emplace_back(place.path, list);
  }
  std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) {
    return std::tie(a.second, a.first) < std::tie(b.second, b.first);
  });
  std::string table = "| Field | Kinds |\n|---|---|\n";
  for (const auto& [path, kinds] : rows) table += "| `" + path + "` | " + kinds + " |\n";
  return table;
}

}  // namespace manifests

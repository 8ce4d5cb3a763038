// An object's file is NAMESPACE/KIND.GROUP/NAME.yaml, "_cluster" for objects without a namespace:
// no namespace has that name, nor that of the README. Unchanged objects give unchanged files, so
// nothing here may tell the time of writing, nor a revision. A healthy object's health follows from
// itself alone: one that is the same object as last time need not be looked at.
//
// Commit message and note end in trailers; they say what was recorded when a restart asks.
#include "gitsync/report/status_branch.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "gitsync/deploy/health.h"
#include "manifests/yaml/yaml.h"

namespace gitsync {
namespace {

using base::Json;

constexpr size_t kMaxFileName = 250;  // with ".yaml"; longer names go without
constexpr size_t kMaxReasonBytes = 300;

using RowPtr = std::shared_ptr<const StatusRow>;

std::string_view LevelText(Health::Level level) {
  switch (level) {
    case Health::Level::kHealthy: return "healthy";
    case Health::Level::kProgressing: return "progressing";
    case Health::Level::kFailed: return "failed";
  }
  return "";
}

std::string KindText(const manifests::Kind& kind) {
  return kind.group.empty() ? kind.kind : kind.kind + "." + kind.group;
}

std::string PathOf(const StatusRow& row) {
  const std::string& name = row.key.name;
  return (row.key.ns.empty() ? "_cluster" : row.key.ns) + "/" + row.kind + "/" + name +
         (name.size() + 5 > kMaxFileName ? "" : ".yaml");
}

std::string FileOf(const StatusRow& row, const manifests::Kind& kind) {
  const state::Object* object = row.object.get();
  Json metadata = Json::MakeObject({{"name", row.key.name}});
  if (!row.key.ns.empty()) metadata.Set("namespace", row.key.ns);
  Json health = Json::MakeObject({{"level", row.level}});
  if (!row.reason.empty()) health.Set("reason", row.reason);
  Json file = Json::MakeObject({{"apiVersion", kind.ApiVersion()}, {"kind", kind.kind}});
  if (object != nullptr) {
    metadata.Set("uid", object->Uid());
    if (object->Generation() > 0) metadata.Set("generation", object->Generation());
    // The status of these kinds is written by plumb; a Secret has none.
    const base::Value status = (*object)["status"];
    if (!status.empty() && row.key.resource != "secrets") file.Set("status", status.ToJson());
  }
  file.Set("metadata", std::move(metadata));
  file.Set("health", std::move(health));
  return manifests::ToYaml(file);
}

// Text in a table's cell: no markup, no end of the cell.
std::string Cell(std::string_view text) {
  std::string cell;
  for (const char c : OneLine(text, kMaxReasonBytes)) {
    if (std::string_view("\\`*_[]<>|").find(c) != std::string_view::npos) cell += '\\';
    cell += c;
  }
  return cell;
}

std::string Clock(base::WallTime time) {
  std::string text = time.ToString();  // 2026-11-23T03:09:54Z
  std::replace(text.begin(), text.end(), 'T', ' ');
  text.pop_back();
  return text + " UTC";
}

// "5 objects: 3 healthy, 1 failed, 1 missing".
std::string Count(const std::vector<RowPtr>& rows) {
  std::map<std::string_view, size_t> counts;
  for (const RowPtr& row : rows) ++counts[row->level];
  std::string text = std::to_string(rows.size()) + (rows.size() == 1 ? " object" : " objects");
  std::string_view before = ": ";
  for (const std::string_view level : {"healthy", "progressing", "failed", "missing"}) {
    if (!counts.contains(level)) continue;
    text += std::string(before) + std::to_string(counts[level]) + " " + std::string(level);
    before = ", ";
  }
  return text;
}

std::string Short(const std::string& commit) { return commit.substr(0, 12); }

std::string Trailers(const Deploy& deploy) {
  return "Plumb-Revision: " + deploy.revision +
         "\nPlumb-Outcome: " + std::string(PhaseName(deploy.phase)) +
         "\nPlumb-Settled: " + deploy.since.ToString() + "\n";
}

std::string Readme(const Deploy& deploy, const std::vector<RowPtr>& rows) {
  const std::string notes = NotesRef(deploy).substr(std::string_view("refs/notes/").size());
  std::string text = "# " + deploy.application + ": " + std::string(PhaseName(deploy.phase)) +
                     "\n\nCommit `" + Short(deploy.commit()) + "` of `" + deploy.branch() + "`, " +
                     Clock(deploy.since) + ". " + Count(rows) + ".\n";
  if (!deploy.message.empty()) text += "\n> " + Cell(deploy.message) + "\n";
  if (!rows.empty()) text += "\n| | object | namespace | kind | |\n|---|---|---|---|---|\n";
  std::vector<const StatusRow*> order;
  for (const RowPtr& row : rows) order.push_back(row.get());
  std::stable_partition(order.begin(), order.end(),
                        [](const StatusRow* row) { return row->level != "healthy"; });
  for (size_t i = 0; i < order.size() && i < kMaxReadmeRows; ++i) {
    const StatusRow& row = *order[i];
    text += "| " + row.level + " | [" + Cell(row.key.name) + "](" + row.path + ") | " + row.key.ns +
            " | " + row.kind + " | " + Cell(row.reason) + " |\n";
  }
  if (order.size() > kMaxReadmeRows) {
    text += "\nAnd " + std::to_string(order.size() - kMaxReadmeRows) +
            " more: each object has a file here.\n";
  }
  return text + "\nWritten by plumb after each deploy; `git log --notes=" + notes +
         "` shows the outcome at the commits themselves\n(`git fetch REMOTE refs/notes/" + notes +
         ":refs/notes/" + notes + "`).\n";
}

}  // namespace

std::string StatusRef(const Deploy& deploy) {
  return std::string(kStatusRef) +
         (deploy.application == deploy.repository ? "" : "-" + deploy.application);
}

std::string NotesRef(const Deploy& deploy) {
  return std::string(kNotesRef) +
         (deploy.application == deploy.repository ? "" : "-" + deploy.application);
}

std::string RenderNote(const Deploy& deploy) {
  std::string text(PhaseName(deploy.phase));
  if (deploy.phase == DeployPhase::kFailed && !deploy.message.empty())
    text += ": " + deploy.message;
  return text + "\n\n" + Trailers(deploy) + "Plumb-State: " + std::to_string(deploy.state) + "\n";
}

StatusTree RenderStatus(const state::View& view, const Deploy& deploy, const Rendered* last) {
  StatusTree tree;
  auto rendered = std::make_shared<Rendered>();
  rendered->inventory = ReadInventory(view, *view.schema(), deploy.application,
                                      last == nullptr ? Inventory() : last->inventory);
  std::vector<RowPtr>& rows = rendered->rows;
  // Both are by key: what the last one has and this one has not is passed over, and removed.
  size_t old = 0;
  const auto pass = [&](const state::Key* until) {
    while (last != nullptr && old < last->rows.size() &&
           (until == nullptr || last->rows[old]->key < *until)) {
      tree.removed.insert(last->rows[old++]->path);
    }
  };
  for (const state::Key& key : *rendered->inventory.keys) {
    const manifests::Kind* kind = view.schema()->FindByResource(key.resource);
    if (kind == nullptr) continue;
    const state::ObjectPtr object = view.Get(key);
    pass(&key);
    RowPtr before;
    if (last != nullptr && old < last->rows.size() && last->rows[old]->key == key) {
      before = last->rows[old++];
    }
    if (before != nullptr && before->object == object &&
        (object == nullptr || before->level == "healthy")) {
      rows.push_back(std::move(before));
      continue;
    }
    StatusRow row{key, object, KindText(*kind), "", "missing", ""};
    if (object != nullptr) {
      const Health health = HealthOf(*object, view);
      row.level = LevelText(health.level);
      row.reason = OneLine(health.reason, kMaxReasonBytes);
    }
    row.path = PathOf(row);
    tree.files[row.path] = FileOf(row, *kind);
    rows.push_back(std::make_shared<const StatusRow>(std::move(row)));
  }
  pass(nullptr);
  tree.files["README.md"] = Readme(deploy, rows);
  tree.note = RenderNote(deploy) + "Plumb-Objects: " + Count(rows) + "\n";
  tree.message = std::string(PhaseName(deploy.phase)) + " " + Short(deploy.commit()) + ": " +
                 Count(rows) + "\n\n" + (deploy.message.empty() ? "" : deploy.message + "\n\n") +
                 Trailers(deploy) + "Plumb-State: " + std::to_string(deploy.state) + "\n";
  tree.rendered = std::move(rendered);
  return tree;
}

bool Records(std::string_view text, const Deploy& deploy) {
  return text.find(Trailers(deploy)) != std::string_view::npos;
}

}  // namespace gitsync

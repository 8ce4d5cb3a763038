#include "tests/sim/users.h"

#include <algorithm>
#include <utility>

#include "tests/sim/invariants.h"
#include "tests/sim/manifest_text.h"

namespace tests {
namespace {

constexpr const char* kRepositories[] = {"shop", "blog"};
constexpr const char* kUnits[] = {"app-a",  "app-b",  "app-c",    "app-d", "app-e",   "conf-a",
                                  "conf-b", "late-a", "secret-a", "team",  "daemon-a"};
constexpr int kMeddlings = 4;
constexpr base::Duration kAgain = base::Duration::Seconds(2);

// Somebody wants to hear of every deploy.
constexpr std::pair<const char*, const char*> kHearing[] = {
    {"/api/v1/namespaces/plumb-system/secrets",
     "apiVersion: v1\nkind: Secret\nmetadata: {name: hearing}\nstringData: {token: "
     "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=}\n"},
    {"/apis/notification.toolkit.fluxcd.io/v1beta3/namespaces/plumb-system/providers",
     "apiVersion: notification.toolkit.fluxcd.io/v1beta3\nkind: Provider\nmetadata: {name: "
     "hearing}\nspec: {type: standard-webhook, address: \"https://hearing.example/x\", "
     "secretRef: {name: hearing}}\n"},
    {"/apis/notification.toolkit.fluxcd.io/v1beta3/namespaces/plumb-system/alerts",
     "apiVersion: notification.toolkit.fluxcd.io/v1beta3\nkind: Alert\nmetadata: {name: "
     "hearing}\nspec: {providerRef: {name: hearing}, eventSources: [{kind: Kustomization, name: "
     "\"*\"}]}\n"},
};

// The second application of the first repository, which the first is to be ready before.
constexpr char kSecondApplication[] =
    "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: shop-side}\n"
    "spec: {interval: 10m, prune: true, sourceRef: {kind: GitRepository, name: shop}, path: "
    "./side, "
    "targetNamespace: default, dependsOn: [{name: shop}]}\n";
// Always in its path; and what moves between the two.
const std::string kSideAnchor = std::string(kSidePrefix) + "anchor",
                  kSideRoamer = std::string(kSidePrefix) + "roamer";

std::string FileOf(const std::string& unit) { return "manifests/" + unit + ".yaml"; }
std::string SideFileOf(const std::string& unit) { return "side/" + unit + ".yaml"; }
std::string UnitOf(const std::string& file) {  // DIRECTORY/UNIT.yaml
  const size_t start = file.find('/') + 1;
  return file.substr(start, file.size() - start - 5);
}
bool IsOfSide(const std::string& unit) { return unit.starts_with(kSidePrefix); }
std::string AnchorOf(const GitUser& user) { return "anchor-" + user.repository(); }

}  // namespace

Users::Users(World& world, SimServer& server)
    : world_(world), server_(server), rng_(world.rng.Next()) {
  for (const char* name : kRepositories) {
    git_.push_back(std::make_unique<GitUser>(world, server, name));
  }
}

void Users::Begin() {
  for (const auto& [target, text] : kHearing) {
    server_.Ask({.method = "POST", .target = target, .body = text},
                [this](const std::string& answer) {
                  if (answer != "201") world_.Fail("webhooks are not set up: " + answer);
                });
  }
  for (const auto& user : git_) CreateRepository(*user);
}

void Users::CreateRepository(GitUser& user) {
  gitsync::RepositorySettings settings;
  settings.scope.namespaces = {"default", "team"};
  server_.engine().CreateRepository(user.repository(), settings, [this, &user](base::Status made) {
    if (!made.ok()) return world_.Fail("a repository was not made: " + made.ToString());
    Change first{"first",
                 {{FileOf(AnchorOf(user)), ConfigText(AnchorOf(user), 0)}},
                 {},
                 false,
                 GitUser::Outcome::kAccepted};
    if (&user != git_[0].get()) {
      Add(user, first);
      return user.Push(std::move(first));
    }
    first.files[SideFileOf(kSideAnchor)] = ConfigText(kSideAnchor, 0);
    first.files[FileOf(kSideRoamer)] = ConfigText(kSideRoamer, 0);
    server_.Ask({.method = "POST",
                 .target = "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/plumb-system/"
                           "kustomizations",
                 .body = kSecondApplication},
                [this, &user, first](const std::string& answer) mutable {
                  if (answer != "201") world_.Fail("no second application: " + answer);
                  Add(user, first);
                  user.Push(std::move(first));
                });
  });
}

void Users::Act() {
  if (!server_.up()) return;
  const uint64_t what = rng_.Below(10);
  if (what < 6) return PushSomething(*git_[rng_.Below(git_.size())]);
  what < 9 ? ChangeByHand() : MakeByHand();
}

void Users::ServerEnded() {
  for (const auto& user : git_) user->ServerEnded();
}

// Pushes.

void Users::PushSomething(GitUser& user) {
  if (user.busy() || user.head().empty()) return;
  if (rng_.Chance(1, 4)) {
    user.Push(BadChange(user));
    return;
  }
  Change change = GoodChange(user);
  if (rng_.Chance(1, 10)) {  // only looked at
    change.why = "dry run";
    change.options.push_back("dry-run");
    change.outcome = GitUser::Outcome::kRefused;
    change.files[FileOf("dry")] = ConfigText("dry", 0) + "  forbidden: " + kForbidden + "\n";
  }
  user.Push(std::move(change));
}

GitUser::Change Users::GoodChange(GitUser& user) {
  Change change{"change", user.head(), {}, false, GitUser::Outcome::kAccepted};
  for (const std::string& unit : std::exchange(lost_[user.repository()], {})) {
    change.files.erase(FileOf(unit));
  }
  if (rng_.Chance(1, 3)) change.options.push_back("nowait");
  std::vector<std::string> units;
  for (const auto& [file, text] : change.files) {
    const std::string unit = UnitOf(file);
    if (unit != AnchorOf(user) && !IsOfSide(unit)) units.push_back(unit);
  }
  const uint64_t what = rng_.Below(8);
  if (units.empty() || what < 2) {
    Add(user, change);
  } else if (what < 4) {
    const std::string& unit = units[rng_.Below(units.size())];
    change.files[FileOf(unit)] = UnitText(unit, true);
  } else if (what == 4) {
    change.why = "delete";
    change.files.erase(FileOf(units[rng_.Below(units.size())]));
  } else if (what == 5) {
    TakeOver(user, change);
  } else {
    GoBack(user, change);
  }
  if (&user == git_[0].get()) ChangeSide(change);
  // Objects in a namespace that goes away are refused, rightly.
  const bool in_team = change.files.contains(FileOf("team"));
  if (in_team) change.outcome = GitUser::Outcome::kEither;
  for (const auto& [file, text] : change.files) {
    if (wandering_.contains(UnitOf(file))) change.outcome = GitUser::Outcome::kEither;
  }
  return change;
}

void Users::Add(GitUser& user, Change& change) {
  change.why = "add";
  for (int i = 0; i < 3; ++i) {
    const std::string unit = kUnits[rng_.Below(std::size(kUnits))];
    if (unit == "team" && &user != git_[0].get()) continue;
    if (change.files.contains(FileOf(unit))) continue;
    // What the other has or had may still be its own.
    const GitUser& other = Other(user);
    if (other.head().contains(FileOf(unit)) || other.busy()) continue;
    for (const Files& files : other.history()) {
      if (files.contains(FileOf(unit))) wandering_.insert(unit);
    }
    change.files[FileOf(unit)] = UnitText(unit, true);
  }
}

// Moves a unit of the other repository here, as it is.
void Users::TakeOver(GitUser& user, Change& change) {
  GitUser& other = Other(user);
  if (other.busy()) return;
  for (const auto& [file, text] : other.head()) {
    const std::string unit = UnitOf(file);
    if (unit.starts_with("anchor") || unit == "team" || IsOfSide(unit)) continue;
    if (change.files.contains(file)) continue;
    if (lost_[other.repository()].contains(unit)) continue;
    change.why = "take over " + unit;
    change.options.push_back("take-over");
    change.files[file] = text;
    wandering_.insert(unit);
    lost_[other.repository()].insert(unit);
    lost_[user.repository()].erase(unit);
    return;
  }
}

// To an earlier tree: by a revert, or by force.
void Users::GoBack(const GitUser& user, Change& change) {
  change.force = rng_.Chance(1, 2);
  change.why = change.force ? "force" : "revert";
  Files files = user.history()[rng_.Below(user.history().size())];
  if (files.empty()) return;
  for (const auto& [file, text] : Other(user).head()) files.erase(file);
  std::erase_if(files, [&](const auto& entry) {
    return Other(user).busy() && !change.files.contains(entry.first);
  });
  change.files = std::move(files);
  change.outcome = GitUser::Outcome::kEither;
  for (const auto& [file, text] : change.files) {
    if (!IsOfSide(UnitOf(file))) wandering_.insert(UnitOf(file));
  }
}

// Of what the second application deploys something changes, or moves there or away.
void Users::ChangeSide(Change& change) {
  if (change.files.empty()) return;
  if (rng_.Chance(1, 4)) {
    change.files[SideFileOf(kSideAnchor)] = ConfigText(kSideAnchor, ++version_);
  }
  if (!rng_.Chance(1, 4)) return;
  const bool there = change.files.erase(SideFileOf(kSideRoamer)) > 0;
  change.files.erase(FileOf(kSideRoamer));
  change.files[there ? FileOf(kSideRoamer) : SideFileOf(kSideRoamer)] =
      ConfigText(kSideRoamer, ++version_);
}

GitUser::Change Users::BadChange(const GitUser& user) {
  Change change{"", user.head(), {}, false, GitUser::Outcome::kRefused};
  if (rng_.Chance(1, 2)) change.options.push_back("nowait");
  const std::vector<BadText> texts = BadTexts();
  const uint64_t which = rng_.Below(texts.size() + 2);
  if (which < texts.size()) {
    change.why = texts[which].why;
    change.files[FileOf("bad")] = texts[which].text;
  } else if (which == texts.size()) {
    change.why = "an unknown option";
    change.options.push_back("yolo");
  } else {
    change.why = "a kustomization";
    change.files["manifests/kustomization.yaml"] = "resources: [bad.yaml]\n";
    change.files[FileOf("bad")] = texts[0].text;
  }
  return change;
}

std::string Users::UnitText(const std::string& unit, bool sick) {
  const int version = ++version_;
  if (unit.starts_with("app")) return AppText(unit, RandomApp(rng_, version, sick));
  if (unit.starts_with("daemon")) return DaemonText(unit, version);
  if (unit.starts_with("secret")) return SecretText(unit, version);
  if (unit == "team") return NamespaceText(unit, version);
  return ConfigText(unit, version, unit.starts_with("late") ? 1 : 0);
}

// The last wish of everybody: apps that become healthy, and each unit in one repository only.
void Users::WishWell() {
  wishes_ = git_.size();
  Wish(0);
}

void Users::Wish(size_t number) {
  const auto again = [this, number] {
    world_.loop.After(kAgain, [this, number] { Wish(number); });
  };
  GitUser& user = *git_[number];
  if (user.busy() || !server_.up() || user.head().empty()) return again();
  Change change{"last", user.head(), {"take-over"}, false, GitUser::Outcome::kEither};
  for (const std::string& unit : lost_[user.repository()]) change.files.erase(FileOf(unit));
  for (auto& [file, text] : change.files) {
    const std::string unit = UnitOf(file);
    if (unit.starts_with("app")) text = UnitText(unit, false);
  }
  for (size_t earlier = 0; earlier < number; ++earlier) {
    for (const auto& [file, text] : git_[earlier]->head()) change.files.erase(file);
  }
  user.Push(std::move(change), [this, number, again](bool accepted) {
    if (!accepted) return again();
    --wishes_;
    if (number + 1 < git_.size()) Wish(number + 1);
  });
}

// By hand.

void Users::Meddle() {
  for (int i = 0; i < kMeddlings; ++i) ChangeByHand();
}

void Users::ChangeByHand() {
  struct Target {
    const char* resource;
    const char* path;
    const char* patch;
  };
  constexpr Target kTargets[] = {
      {"deployments.apps", "/apis/apps/v1/namespaces/default/deployments/",
       R"({"spec":{"replicas":1}})"},
      {"deployments.apps", "/apis/apps/v1/namespaces/default/deployments/",
       R"({"metadata":{"labels":{"kustomize.toolkit.fluxcd.io/name":null}}})"},
      {"configmaps", "/api/v1/namespaces/default/configmaps/", R"({"data":{"version":"drift"}})"},
      {"services", "/api/v1/namespaces/default/services/", R"({"spec":{"selector":{"app":"x"}}})"},
      {"pods", "/api/v1/namespaces/default/pods/", R"({"metadata":{"labels":{"by":"hand"}}})"},
  };
  const Target& target = kTargets[rng_.Below(std::size(kTargets))];
  std::vector<std::string> names;
  for (const state::ObjectPtr& object : server_.view().List(target.resource, "default")) {
    if (object->key.name != "kubernetes" && object->key.name != "kube-root-ca.crt") {
      names.push_back(object->key.name);
    }
  }
  if (names.empty()) return;
  const std::string& name = names[rng_.Below(names.size())];
  const bool removes = rng_.Chance(1, 3);
  const std::string act =
      std::string(removes ? "delete " : "patch ") + target.resource + " " + name + ": ";
  ApiRequest request{.method = removes ? "DELETE" : "PATCH", .target = target.path + name};
  if (!removes) {
    request.body = target.patch;
    request.content_type = "application/merge-patch+json";
  }
  const bool allowed = !rng_.Chance(1, 8);
  if (!allowed) request.role = rng_.Chance(1, 2) ? "viewer" : "";
  if (removes && allowed) hand_made_.erase(name);
  server_.Ask(request, [this, act, allowed](const std::string& answer) {
    world_.Trace(act + answer);
    const bool as_due =
        allowed ? answer.starts_with("2") || answer.starts_with("409") : answer.starts_with("403");
    if (!as_due) world_.Fail(act + "by " + (allowed ? "an admin" : "nobody") + ": " + answer);
  });
}

// Some pretend to belong to a repository: nobody's inventory has them.
void Users::MakeByHand() {
  const std::string name = kHandMade + std::to_string(++version_);
  const std::string label =
      rng_.Chance(1, 2) ? ", labels: {kustomize.toolkit.fluxcd.io/name: shop}" : "";
  server_.Ask(ApiRequest{.method = "POST",
                         .target = "/api/v1/namespaces/default/configmaps",
                         .body = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name +
                                 label + "}\n"},
              [this, name](const std::string& answer) {
                if (answer != "201" && answer != "200")
                  return world_.Fail("not made by hand: " + answer);
                if (server_.view().Get("configmaps", "default", name) != nullptr)
                  hand_made_.insert(name);
              });
}

}  // namespace tests

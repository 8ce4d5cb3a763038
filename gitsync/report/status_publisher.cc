// At the start the history of each repository is gone through as well: of deploys that followed
// each other closely, a crash may have left out any.
//
// The branch comes before the note: a restart that finds one of them writes the other. Both name
// the end they record by revision, outcome and time, so nothing is written twice, and a commit that
// is deployed again later is recorded again.
//
// Refs move by compare-and-swap in the GitStore, which tries again on a conflict; whatever else
// fails is tried again here, later and later. A repository or commit that is gone is not.
#include "gitsync/report/status_publisher.h"

#include <algorithm>
#include <utility>

#include "base/backoff.h"
#include "base/log.h"
#include "gitsync/plan/application.h"
#include "gitsync/plan/history.h"
#include "gitsync/report/status_branch.h"
#include "gitsync/source/git_rules.h"

namespace gitsync {

using base::Code;
using base::Result;
using base::Status;

namespace {

constexpr base::Backoff kRetryWriting{base::Duration::Seconds(1), base::Duration::Minutes(5)};

// A change beyond this is written as a whole tree, which the GitStore packs.
constexpr size_t kMaxChangedFiles = 64;

bool IsRecorded(GitStore& git, const Deploy& deploy, const std::string& tip) {
  const auto last = git.ReadCommit(deploy.repository, tip);
  return last.ok() && Records(last->body, deploy);
}

Result<std::string> WriteBranch(GitStore& git, const Deploy& deploy, StatusTree tree,
                                const std::string& base) {
  GitStore::NewCommit commit;
  commit.ref = StatusRef(deploy);
  commit.files = std::move(tree.files);
  commit.base = base;
  commit.removed = std::move(tree.removed);
  commit.message = std::move(tree.message);
  commit.author_name = kNoteAuthor;
  commit.author_email = kNoteEmail;
  commit.time = deploy.since;
  commit.keep_history = kMaxStatusCommits;
  return git.Commit(deploy.repository, commit);
}

Result<bool> IsNoted(GitStore& git, const Deploy& deploy) {
  const auto note = git.ReadNote(deploy.repository, NotesRef(deploy), deploy.commit());
  if (!note.ok() && note.status().code() != Code::kNotFound) return note.status();
  return note.ok() && Records(*note, deploy);
}

Status WriteNote(GitStore& git, const Deploy& deploy, const std::string& text) {
  return git.WriteNote(deploy.repository, NotesRef(deploy), deploy.commit(), text, deploy.since);
}

}  // namespace

Status NoteMissed(GitStore& git, const std::vector<Deploy>& missed) {
  for (const Deploy& end : missed) {
    const auto note = git.ReadNote(end.repository, NotesRef(end), end.commit());
    if (note.ok()) continue;
    if (note.status().code() != Code::kNotFound) return note.status();
    const Status written = WriteNote(git, end, RenderNote(end));
    if (!written.ok() && written.code() != Code::kNotFound) return written;  // the commit is gone
  }
  return Status();
}

Result<Published> PublishStatus(GitStore& git, const state::View& view, const Deploy& deploy,
                                const Published& last) {
  ASSIGN_OR_RETURN(const bool noted, IsNoted(git, deploy));
  if (deploy.phase == DeployPhase::kSuperseded) {
    if (!noted) RETURN_IF_ERROR(WriteNote(git, deploy, RenderNote(deploy)));
    return last;
  }
  const auto tip = git.Resolve(deploy.repository, StatusRef(deploy));
  if (!tip.ok() && tip.status().code() != Code::kNotFound) return tip.status();
  const bool recorded = tip.ok() && IsRecorded(git, deploy, *tip);
  if (recorded && noted) return last;
  const bool known = tip.ok() && *tip == last.commit;
  StatusTree tree = RenderStatus(view, deploy, known ? last.rendered.get() : nullptr);
  const bool small = known && tree.files.size() + tree.removed.size() <= kMaxChangedFiles;
  if (known && !small) tree = RenderStatus(view, deploy);
  const std::string note = tree.note;
  Published published = last;
  if (!recorded) {
    published.rendered = tree.rendered;
    ASSIGN_OR_RETURN(published.commit,
                     WriteBranch(git, deploy, std::move(tree), small ? *tip : ""));
  }
  if (!noted) RETURN_IF_ERROR(WriteNote(git, deploy, note));
  return published;
}

StatusPublisher::StatusPublisher(base::Loop& loop, state::Store& store, GitStore& git)
    : loop_(loop), store_(store), git_(git) {
  on_commit_ = store_.OnCommit([this](const state::Change& change) {
    const state::Key& key = change.key();
    if (key.resource != kKustomizations || key.ns != kSystemNamespace) return;
    if (change.removed) {
      applications_.erase(key.name);
    } else {
      for (Deploy& end : EndedBetween(change.previous.get(), *change.object)) Take(std::move(end));
    }
  });
  for (const state::ObjectPtr& object : store_.view().List(kKustomizations, kSystemNamespace)) {
    TakeUp(*object);
  }
}

bool StatusPublisher::Idle() const {
  return std::all_of(applications_.begin(), applications_.end(), [](const auto& entry) {
    return !entry.second->busy && entry.second->waiting.empty();
  });
}

// The branch holds the last end that is no supersession; all the others are notes.
void StatusPublisher::TakeUp(const state::Object& kustomization) {
  std::vector<Deploy> ends = EndedBetween(nullptr, kustomization);
  const auto last = std::find_if(ends.rbegin(), ends.rend(), [](const Deploy& end) {
    return end.phase != DeployPhase::kSuperseded;
  });
  if (ends.empty()) return;
  const size_t at =
      last == ends.rend() ? ends.size() - 1 : static_cast<size_t>(ends.rend() - last) - 1;
  Deploy end = std::move(ends[at]);
  ends.erase(ends.begin() + static_cast<ptrdiff_t>(at));
  Take(std::move(end), std::move(ends));
}

void StatusPublisher::Take(Deploy end, std::vector<Deploy> missed) {
  const std::string name = end.application;
  ApplicationPtr& application = applications_[name];
  if (application == nullptr) application = std::make_shared<Application>();
  if (application->waiting.size() == kMaxWaitingDeploys) {
    // The first may be on its way.
    const Deploy& oldest = application->waiting[1].deploy;
    base::LogWarning("too many deploys wait to be recorded in Git; one is left out",
                     {{"application", oldest.application}, {"revision", oldest.revision}});
    application->waiting.erase(application->waiting.begin() + 1);
  }
  application->waiting.push_back({std::move(end), store_.view(), std::move(missed)});
  // Durable first: Git must not tell what a crash takes back.
  store_.WhenDurable(store_.revision(),
                     lifeline_.Wrap([this, name, application] { Pump(name, application); }));
}

void StatusPublisher::Pump(const std::string& name, const ApplicationPtr& application) {
  const auto found = applications_.find(name);
  if (found == applications_.end() || found->second != application) return;  // deleted meanwhile
  if (application->busy || application->waiting.empty()) return;
  if (application->waiting.front().view.revision() > store_.durable()) return;  // it has its own
  application->busy = true;
  loop_.Offload([this, tie = lifeline_.tie(), name, application, &git = git_,
                 work = application->waiting.front(),
                 last = application->published]() -> base::Loop::Task {
    Result<Published> published = last;
    if (Status noted = NoteMissed(git, work.missed); !noted.ok()) published = noted;
    if (published.ok()) {
      published = PublishStatus(git, work.view, work.deploy, last);
    }
    return tie.Wrap([this, name, application, published = std::move(published)] {
      Written(name, application, published);
    });
  });
}

void StatusPublisher::Written(const std::string& name, const ApplicationPtr& application,
                              const Result<Published>& published) {
  const Status& status = published.status();
  if (published.ok()) application->published = *published;
  const bool gone = status.code() == Code::kNotFound;
  if (status.ok() || gone) {
    if (gone) {
      base::LogWarning("a deploy's outcome has no place in Git any more",
                       {{"application", name}, {"why", std::string(status.message())}});
    }
    application->busy = false;
    application->failures = 0;
    application->waiting.pop_front();
    return Pump(name, application);
  }
  const base::Duration delay = kRetryWriting.After(++application->failures);
  base::LogWarning(
      "a deploy's outcome was not written to Git, trying again",
      {{"application", name}, {"after", delay.ToString()}, {"why", std::string(status.message())}});
  loop_.After(delay, lifeline_.Wrap([this, name, application] {
    application->busy = false;
    Pump(name, application);
  }));
}

}  // namespace gitsync

// plumb backup and plumb restore.
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>
#include <vector>

#include "base/edge/files.h"
#include "base/printable.h"
#include "plumb/commands/command_support.h"
#include "plumb/endpoints.h"
#include "plumb/reports/backup_format.h"
#include "plumb/server/edge/backup_route.h"
#include "plumb/server/edge/restore.h"

namespace plumb {
namespace {

constexpr const char* kBackupHelp =
    "usage: plumb backup FILE | -\n\n"
    "Everything that a working server is made of, at one moment, while it runs: all objects, the\n"
    "certificate authority with the credentials of people, pipelines and nodes, and every\n"
    "repository with its history. The file (\"-\": standard output) has mode 0600: whoever has it\n"
    "owns the cluster. It replaces FILE only when it is complete. Not in it: what nodes keep, "
    "like\n"
    "images and logs. A repository that Git cannot read whole is named, and left out.\n\n"
    "Exit codes: 0 done, 7 done but for what was left out, 1 failed, 2 wrong usage, 5 not allowed "
    "(administrators only), 6 the "
    "server\n"
    "cannot be reached.\n";

constexpr const char* kRestoreHelp =
    "usage: plumb restore FILE --data-dir DIR\n"
    "       plumb restore FILE --check\n\n"
    "Makes the data directory of a server from a backup; 'plumb server --data-dir DIR' then goes "
    "on\n"
    "from there. DIR must be empty or not exist. kubeconfigs, tokens and nodes stay valid if the\n"
    "server is reached under the same address; watches begin anew, and what nodes run that the\n"
    "backup does not know is stopped. A repository that cannot be read is made empty, and "
    "named.\n\n"
    "Exit codes: 0 done, 7 done but for what was left out, 1 failed, or the backup is damaged, 2 "
    "wrong usage, or no backup, 4 no "
    "such\n"
    "file, 5 not allowed, 6 the backup is of a newer plumb.\n\n"
    "  --data-dir DIR      the directory to make\n"
    "  --check             restore it into a new directory below $TMPDIR or /var/tmp, which is\n"
    "                      removed again, and say whether all of it comes back\n";

constexpr int kLeftOut = 7;  // exit code

// A name of its own, which nobody can have made before.
base::Result<std::pair<base::UniqueFd, std::string>> MakePartial(const std::string& path) {
  std::string partial = path + ".partial-XXXXXX";
  base::UniqueFd file(mkostemp(partial.data(), O_CLOEXEC));  // 0600, and never through a link
  if (!file.valid()) return base::ErrnoStatus("cannot create a file beside " + path, errno);
  return std::pair(std::move(file), std::move(partial));
}

// The exit code of a summary, whose sentences it prints.
int ExitOf(const std::vector<std::string>& left_out) {
  for (const std::string& sentence : left_out) {
    std::fprintf(stderr, "plumb: %s\n", base::OneLine(sentence).c_str());
  }
  return left_out.empty() ? 0 : kLeftOut;
}

// Writes what comes, checks it on the way, and puts the file in place when it is whole.
class BackupFile {
 public:
  explicit BackupFile(const std::string& path) : path_(path) {
    if (path == "-") {
      file_ = base::UniqueFd(dup(STDOUT_FILENO));
      if (!file_.valid()) status_ = base::ErrnoStatus("cannot write to standard output", errno);
      return;
    }
    auto made = MakePartial(path);
    status_ = made.status();
    if (!made.ok()) return;
    file_ = std::move(made->first);
    partial_ = std::move(made->second);
  }
  ~BackupFile() {
    if (path_ != "-" && file_.valid()) unlink(partial_.c_str());
  }

  bool Take(std::string_view bytes) {
    if (status_.ok()) {
      status_ = reader_.Feed(bytes, [this](const BackupFrame& frame) {
        if (frame.kind == FrameKind::kEnd) NoteLeftOut(frame.payload);
        return base::Status();
      });
    }
    while (status_.ok() && !bytes.empty()) {
      const ssize_t written = write(file_.get(), bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) {
        status_ = base::ErrnoStatus("cannot write " + path_, errno);
      } else {
        bytes.remove_prefix(static_cast<size_t>(written));
      }
    }
    return status_.ok();
  }

  base::Status Finish() {
    RETURN_IF_ERROR(status_);
    RETURN_IF_ERROR(reader_.Finish());
    if (path_ == "-") return base::Status();
    if (fsync(file_.get()) != 0 || rename(partial_.c_str(), path_.c_str()) != 0) {
      return base::ErrnoStatus("cannot write " + path_, errno);
    }
    file_.Reset();
    return base::Status();
  }

  const base::Status& status() const { return status_; }
  // Repositories that the server could not put into it: a sentence each.
  const std::vector<std::string>& left_out() const { return left_out_; }

 private:
  void NoteLeftOut(const std::string& end) {
    const base::Result<base::Json> parsed = base::ParseJson(end);
    if (!parsed.ok()) return;
    for (const base::Json& each : (*parsed)["leftOut"].Elements()) {
      left_out_.push_back("repository " + std::string(each["repository"].AsString()) +
                          " is left out: " + std::string(each["why"].AsString()));
    }
  }

  const std::string path_;
  std::string partial_;
  std::vector<std::string> left_out_;
  base::UniqueFd file_;
  BackupReader reader_;
  base::Status status_;
};

void PrintSummary(const char* verb, const BackupSummary& summary, const std::string& where) {
  std::fprintf(stderr, "%s %s: %lld objects and %lld repositories as of %s, %.1f MiB\n", verb,
               where.c_str(), static_cast<long long>(summary.objects),
               static_cast<long long>(summary.repositories), summary.created.c_str(),
               static_cast<double>(summary.bytes) / (1 << 20));
}

}  // namespace

int BackupCommand(const Words& words) {
  int exit = 0;
  std::optional<Session> session = Begin(words, {}, kBackupHelp, exit);
  if (!session) return exit;
  if (session->arguments.operands().size() != 1) return WrongUsage(kBackupHelp);
  const std::string& path = session->arguments.operands()[0];
  if (path == "-" && isatty(STDOUT_FILENO) == 1) {
    std::fprintf(stderr, "plumb: a backup is not for a terminal; name a file, or pipe it\n");
    return 2;
  }
  BackupFile file(path);
  if (!file.status().ok()) return Fail(file.status());
  const base::Status read =
      session->client.Read(kBackupPath, [&](std::string_view bytes) { return file.Take(bytes); });
  if (!file.status().ok()) return Fail(file.status());
  if (!read.ok()) return Fail(read);
  if (const base::Status done = file.Finish(); !done.ok()) return Fail(done);
  if (path == "-") return ExitOf(file.left_out());
  // Read back from the disk: a backup that cannot be read is none.
  const base::Result<BackupSummary> summary = CheckBackup(path);
  if (!summary.ok()) return Fail(summary.status());
  PrintSummary("wrote", *summary, path);
  return ExitOf(summary->left_out);
}

int RestoreCommand(const Words& words) {
  int exit = 0;
  const std::optional<Arguments> arguments =
      ParseFlags(words, {{"--data-dir"}, {"--check"}}, kRestoreHelp, exit);
  if (!arguments) return exit;
  const bool check = arguments->Has("--check");
  if (arguments->operands().size() != 1 || check == arguments->Has("--data-dir")) {
    return WrongUsage(kRestoreHelp);
  }
  const std::string& path = arguments->operands()[0];
  const std::string data_dir = arguments->Get("--data-dir");
  const base::Result<BackupSummary> summary =
      check ? TryBackup(path) : RestoreBackup(path, data_dir);
  if (!summary.ok()) return Fail(summary.status());
  PrintSummary(check ? "whole:" : "restored", *summary, check ? path : data_dir);
  return ExitOf(summary->left_out);
}

}  // namespace plumb

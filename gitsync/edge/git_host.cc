// Smart HTTP, as gitprotocol-http describes it: info/refs advertises a service; a POST to the
// service runs it once over the whole request. The request is read to its end before the response
// begins, because clients send all before they listen; the response is passed on piece by piece as
// git writes it, so that a rollout can be watched for minutes.
//
// A child that outlives its client or its time is ended with everything below it. Git sends a sign
// of life every few seconds, so a client that went away is noticed even when nothing happens. While
// its hook has not answered, a push that ends this way has changed nothing.
//
// Git's own words about a request it cannot serve may name paths: they go to the log, and the
// client gets a sentence.
#include "gitsync/edge/git_host.h"

#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <optional>
#include <string_view>

#include "base/log.h"
#include "base/printable.h"
#include "base/words.h"
#include "gitsync/edge/git_child.h"
#include "gitsync/edge/git_quarantine.h"
#include "gitsync/edge/git_settings.h"
#include "gitsync/source/git_rules.h"

namespace gitsync {

using base::Code;
using base::Result;
using base::Status;

namespace {

inline constexpr size_t kMaxFetchRequestBytes = 4u << 20;  // what a fetching client has and wants
inline constexpr size_t kMaxCommandBytes = 1u << 20;       // of a push, before its pack
inline constexpr size_t kMaxProtocolBytes = 256;           // of the Git-Protocol header
inline constexpr size_t kMaxUserBytes = 256;

enum class Service { kUploadPack, kReceivePack };

std::string NameOf(Service service) {
  return service == Service::kUploadPack ? "upload-pack" : "receive-pack";
}

struct Target {
  std::string repository;
  std::string rest;  // "info/refs"
};

// "/NAME.git/REST".
std::optional<Target> ParsePath(std::string_view path) {
  const size_t end = path.find(".git/");
  if (!path.starts_with("/") || end == std::string_view::npos) return std::nullopt;
  return Target{std::string(path.substr(1, end - 1)), std::string(path.substr(end + 5))};
}

std::optional<Service> ParseService(std::string_view name) {
  if (name == "git-upload-pack") return Service::kUploadPack;
  if (name == "git-receive-pack") return Service::kReceivePack;
  return std::nullopt;
}

std::string_view QueryValue(std::string_view query, std::string_view key) {
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    if (pair.starts_with(key) && pair.substr(key.size()).starts_with("=")) {
      return pair.substr(key.size() + 1);
    }
  }
  return {};
}

// "version=2:key=value", of the characters that git's own clients use.
bool IsProtocol(std::string_view text) {
  return text.size() <= kMaxProtocolBytes && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '=' || c == ':' ||
                  c == '.' || c == '-';
         });
}

bool IsUser(std::string_view text) {
  return text.size() <= kMaxUserBytes && std::all_of(text.begin(), text.end(), [](char c) {
           return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f;
         });
}

bool AsksForVersion2(std::string_view protocol) {
  while (!protocol.empty()) {
    const std::string_view part = protocol.substr(0, protocol.find(':'));
    protocol.remove_prefix(std::min(part.size() + 1, protocol.size()));
    if (part == "version=2") return true;
  }
  return false;
}

std::string PacketLine(const std::string& text) {
  char length[5];
  snprintf(length, sizeof length, "%04zx", text.size() + 4);
  return length + text;
}

void SendSentence(const GitHttpResponse& response, int status, const std::string& sentence) {
  response.send(status, "text/plain; charset=utf-8", base::OneLine(sentence) + "\n");
}

void SendStatus(const GitHttpResponse& response, const Status& status) {
  SendSentence(response, base::InfoOf(status.code()).http_status, std::string(status.message()));
}

// Git's answer on its way to the client: packets, each of four hexadecimal digits of its length and
// the rest. If git says on a side band (or to us) that it has met a limit, a line of our own goes
// before the next packet there, since git's words for it are about malloc and signals.
class LimitTeller {
 public:
  explicit LimitTeller(const GitLimits& limits) : limits_(limits) {}

  // What goes to the client now: whole packets, for as long as it is packets.
  std::string Next(std::string_view piece, std::string_view error_tail) {
    pending_ += piece;
    if (struck_.empty()) struck_ = LimitSentence(limits_, error_tail);
    std::string out;
    while (const size_t length = FrontLength()) {
      const std::string_view packet = std::string_view(pending_).substr(0, length);
      const char band = length > kHeadBytes ? packet[kHeadBytes - 1] : '\0';
      if (!told_ && !struck_.empty() && band >= 1 && band <= 3) {
        out += PacketLine("\2" + struck_ + "\n");
        told_ = true;
      }
      out += packet;
      if (band == 2 && struck_.empty()) {
        struck_ = LimitSentence(limits_, packet.substr(kHeadBytes));
      }
      pending_.erase(0, length);
    }
    return out;
  }
  std::string Rest() { return std::move(pending_); }

 private:
  static constexpr size_t kDigits = 4, kHeadBytes = 5;  // the length; with the band's number

  // Of the whole packet in front; 0 if it is not whole yet.
  size_t FrontLength() const {
    if (pending_.size() < kDigits) return 0;
    size_t length = 0;
    const char* end = pending_.data() + kDigits;
    if (std::from_chars(pending_.data(), end, length, 16).ptr != end) return pending_.size();
    length = std::max(length, kDigits);  // below are marks without content
    return length <= pending_.size() ? length : 0;
  }

  const GitLimits& limits_;
  std::string pending_;
  std::string struck_;
  bool told_ = false;
};

// One run of a service for one request.
class Exchange {
 public:
  Exchange(const GitHostOptions& options, const GitHttpRequest& request,
           const GitHttpResponse& response, const std::string& repository, Service service)
      : options_(options),
        request_(request),
        response_(response),
        repository_(repository),
        service_(service) {}

  void Advertise() {
    std::string prefix;
    if (!AsksForVersion2(request_.protocol)) {
      prefix = PacketLine("# service=git-" + NameOf(service_) + "\n") + "0000";
    }
    if (!StartChild("--http-backend-info-refs")) return;
    child_->EndInput();
    Answer("advertisement", prefix);
  }

  void Run() {
    if (request_.content_type != "application/x-git-" + NameOf(service_) + "-request") {
      return SendSentence(response_, 415,
                          "a request to git-" + NameOf(service_) +
                              " has the content type application/x-git-" + NameOf(service_) +
                              "-request");
    }
    if (service_ == Service::kReceivePack) {
      if (const Status prepared = PreparePush(); !prepared.ok()) {
        LogFailure(prepared.ToString());
        return SendSentence(response_, 500, "the server cannot take pushes; its log says why");
      }
    }
    if (!StartChild("")) return;
    if (const Status fed = FeedBody(); !fed.ok()) {
      child_->Kill();
      return SendStatus(response_, fed);
    }
    child_->EndInput();
    Answer("result", "");
  }

 private:
  Status PreparePush() {
    RETURN_IF_ERROR(EnsureHooks(options_));  // git takes a missing hook for one that agrees
    ASSIGN_OR_RETURN(QuarantineGuard guard,
                     QuarantineGuard::Enter(RepositoryPath(options_, repository_)));
    guard_.emplace(std::move(guard));
    return {};
  }

  bool StartChild(const std::string& option) {
    std::vector<std::string> argv = {"git"};
    for (const auto& [key, value] : GitSettings(options_)) {
      argv.insert(argv.end(), {"-c", key + "=" + value});
    }
    argv.insert(argv.end(), {NameOf(service_), "--stateless-rpc"});
    if (service_ == Service::kUploadPack) argv.push_back("--strict");
    if (!option.empty()) argv.push_back(option);
    argv.push_back(RepositoryPath(options_, repository_));
    Result<std::unique_ptr<GitChild>> child =
        GitChild::Start(std::move(argv), Environment(), options_.timeout, options_.limits);
    if (!child.ok()) {
      LogFailure(child.status().ToString());
      SendSentence(response_, 500, "the server cannot run git; its log says why");
      return false;
    }
    child_ = *std::move(child);
    return true;
  }

  std::vector<std::string> Environment() const {
    std::vector<std::string> environment = GitEnvironment();
    environment.insert(
        environment.end(),
        {"GIT_ALLOW_PROTOCOL=", "GIT_PROTOCOL_FROM_USER=0", "GIT_COMMITTER_NAME=plumb",
         "GIT_COMMITTER_EMAIL=plumb@localhost", "PLUMB_USER=" + request_.user,
         "PLUMB_GROUPS=" + base::LinesOf(request_.groups),
         "PLUMB_BRANCHES=" + base::LinesOf(request_.branches), "PLUMB_REPOSITORY=" + repository_});
    if (!request_.protocol.empty()) environment.push_back("GIT_PROTOCOL=" + request_.protocol);
    return environment;
  }

  // A pack beyond the limit is refused by git, in words that the client shows; for that the rest of
  // the request must be read, up to twice the limit.
  size_t BodyLimit() const {
    return service_ == Service::kUploadPack ? kMaxFetchRequestBytes
                                            : 2 * options_.max_pack_bytes + kMaxCommandBytes;
  }

  Status FeedBody() {
    Status stopped;
    size_t total = 0;
    const Status read = request_.read_body([&](std::string_view piece) {
      total += piece.size();
      if (total > BodyLimit()) {
        stopped = Status(Code::kTooLarge,
                         "the request is larger than " + std::to_string(BodyLimit()) + " bytes");
      } else {
        stopped = child_->Feed(piece);
      }
      return stopped.ok();
    });
    return stopped.ok() ? read : stopped;
  }

  // Waits for git's first word, because only a failure before it can be an HTTP status.
  void Answer(const std::string& kind, const std::string& prefix) {
    const Result<std::string> first = child_->Read();
    if (!first.ok()) {
      LogFailure(first.status().ToString());
      child_->Kill();
      return SendStatus(response_, first.status());
    }
    if (first->empty() && !child_->Wait().ok()) {
      LogFailure(child_->error_tail());
      const std::string struck = LimitSentence(options_.limits, child_->error_tail());
      if (!struck.empty()) return SendSentence(response_, 413, struck);
      return SendSentence(response_, 500,
                          "git " + NameOf(service_) + " failed; the server's log says why");
    }
    response_.stream(200, "application/x-git-" + NameOf(service_) + "-" + kind,
                     [&](const std::function<bool(std::string_view)>& write) {
                       PassOn(prefix + *first, write);
                     });
    if (!finished_) child_->Kill();
  }

  void PassOn(const std::string& begin, const std::function<bool(std::string_view)>& write) {
    Result<std::string> piece = begin;
    LimitTeller teller(options_.limits);
    while (piece.ok() && !piece->empty()) {
      const std::string packets = teller.Next(*piece, child_->error_tail());
      if (!packets.empty() && !write(packets)) {
        base::LogInfo(
            "git client went away",
            {{"repository", repository_}, {"service", NameOf(service_)}, {"user", request_.user}});
        return;
      }
      piece = child_->Read();
    }
    if (!piece.ok()) return LogFailure(piece.status().ToString());
    const std::string rest = teller.Rest();
    if (!rest.empty() && !write(rest)) return;
    finished_ = true;
    if (!child_->Wait().ok()) LogFailure(child_->error_tail());
  }

  void LogFailure(const std::string& why) const {
    base::LogWarning("git request failed", {{"repository", repository_},
                                            {"service", NameOf(service_)},
                                            {"user", request_.user},
                                            {"reason", why}});
  }

  const GitHostOptions& options_;
  const GitHttpRequest& request_;
  const GitHttpResponse& response_;
  const std::string repository_;
  const Service service_;
  std::optional<QuarantineGuard> guard_;  // of a push; ends after the child
  std::unique_ptr<GitChild> child_;
  bool finished_ = false;  // the child said all that it had to
};

}  // namespace

GitHost::GitHost(GitHostOptions options) : options_(std::move(options)) {}

void GitHost::Serve(const GitHttpRequest& request, const GitHttpResponse& response) {
  const std::optional<Target> target = ParsePath(request.path);
  if (!target) return SendSentence(response, 404, "repositories are at NAME.git");
  const auto no_repository = [&] {
    SendSentence(response, 404,
                 "there is no repository \"" + target->repository +
                     "\"; `plumb repo list` shows those there are");
  };
  if (!CheckRepositoryName(target->repository).ok()) return no_repository();
  const bool named = IsUser(request.user) &&
                     std::all_of(request.groups.begin(), request.groups.end(), IsUser) &&
                     std::all_of(request.branches.begin(), request.branches.end(), IsUser);
  if (!IsProtocol(request.protocol) || !named) {
    return SendSentence(response, 400, "the Git-Protocol header or the user's name is malformed");
  }
  const bool advertise = target->rest == "info/refs";
  const std::optional<Service> service =
      ParseService(advertise ? QueryValue(request.query, "service") : target->rest);
  if (!service && advertise) {
    return SendSentence(response, 403, "only git's smart HTTP protocol is served here");
  }
  if (!service) return SendSentence(response, 404, "there is no such file or service");
  if (request.method != (advertise ? "GET" : "POST")) {
    return SendSentence(response, 405, "use " + std::string(advertise ? "GET" : "POST"));
  }
  const auto& may = *service == Service::kReceivePack ? request.may_push : request.may_fetch;
  if (const Status allowed = may(target->repository); !allowed.ok()) {
    return SendSentence(response, 403, std::string(allowed.message()));
  }
  struct stat info = {};
  if (stat(RepositoryPath(options_, target->repository).c_str(), &info) != 0)
    return no_repository();
  Exchange exchange(options_, request, response, target->repository, *service);
  if (advertise) {
    exchange.Advertise();
  } else {
    exchange.Run();
  }
}

}  // namespace gitsync

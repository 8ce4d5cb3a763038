// get, list and watch.
//
// A resourceVersion of a read is a minimum, and "" and "0" ask for what is there: a View is never
// older than what any client has seen. With resourceVersionMatch=Exact it is the very revision. A
// minimum that lies ahead is a Timeout that says so.
//
// A page of a list ends with a token that names the View's revision and the first key of the rest.
// The rest comes from the same View if it is still at hand; if not, the answer is 410 Expired with
// a token for the rest as it is by then (revision 0), as in Kubernetes.
#include <charconv>

#include "state/api/handlers.h"
#include "state/api/render.h"
#include "state/api/status.h"

namespace state {
namespace {

using base::Code;
using base::Status;

template <typename Number>
bool ParseNumber(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

struct ContinueToken {
  Revision revision = 0;  // 0: whatever is there
  Key from;               // without the resource
};

std::string Print(const ContinueToken& token) {
  return std::to_string(token.revision) + "/" + token.from.ns + "/" + token.from.name;
}

std::optional<ContinueToken> ParseContinue(std::string_view text) {
  ContinueToken token;
  const size_t first = text.find('/');
  if (first == std::string_view::npos) return std::nullopt;
  const size_t second = text.find('/', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  if (!ParseNumber(text.substr(0, first), token.revision)) return std::nullopt;
  token.from.ns = text.substr(first + 1, second - first - 1);
  token.from.name = text.substr(second + 1);
  return token;
}

struct ReadVersion {
  Revision revision = 0;  // 0: any
  bool given = false;
  std::string_view match;
};

base::Result<ReadVersion> ParseVersion(const base::HttpRequest& request) {
  ReadVersion version;
  const std::string_view text = request.Query("resourceVersion");
  version.match = request.Query("resourceVersionMatch");
  version.given = !text.empty();
  if (version.given && !ParseNumber(text, version.revision)) {
    return Status(Code::kBadRequest,
                  "resourceVersion: invalid resource version \"" + std::string(text) + "\"");
  }
  if (!version.match.empty() && version.match != "Exact" && version.match != "NotOlderThan") {
    return Status(Code::kInvalid, "resourceVersionMatch: supported values: Exact, NotOlderThan");
  }
  return version;
}

Status CheckNotAhead(Revision wanted, const View& view) {
  if (wanted <= view.revision()) return Status();
  const std::string message = "Too large resource version: " + std::to_string(wanted) +
                              ", current: " + std::to_string(view.revision());
  return Status(Code::kTimeout, message,
                {{"ResourceVersionTooLarge", "Too large resource version", ""}});
}

Status CheckListOptions(const base::HttpRequest& request, const ReadVersion& version) {
  const bool continued = !request.Query("continue").empty();
  if (!version.match.empty() && continued) {
    return Status(Code::kInvalid, "resourceVersionMatch is forbidden with a continue token");
  }
  if (!version.match.empty() && !version.given) {
    return Status(Code::kInvalid,
                  "resourceVersionMatch is forbidden unless resourceVersion is provided");
  }
  if (version.match == "Exact" && version.revision == 0) {
    return Status(Code::kInvalid,
                  "resourceVersionMatch \"Exact\" is forbidden for resourceVersion \"0\"");
  }
  if (continued && version.revision != 0) {
    return Status(Code::kBadRequest,
                  "specifying resource version is not allowed when using continue");
  }
  return Status();
}

Answer ExpiredToken(const ContinueToken& token, const Representation& as) {
  const Status status(Code::kExpired,
                      "The provided continue parameter is too old to display a consistent list "
                      "result. You can start a new list without the continue parameter, or use the "
                      "continue token in this response to retrieve the remainder of the results. "
                      "Continuing with the provided token results in an inconsistent list.");
  base::Json body = FailureStatus(status, About());
  body["metadata"].Set("continue", Print(ContinueToken{0, token.from}));
  return Answer(Response{.http = Responding(RenderMessage(MetaMessage("Status"), body, as),
                                            base::InfoOf(Code::kExpired).http_status)});
}

struct Page {
  std::vector<ObjectPtr> objects;
  std::optional<Key> rest;  // the first that did not fit
};

Page ReadPage(const View& view, const Selection& selection, const Key& from, int64_t limit) {
  Page page;
  selection.Visit(view, from, [&](const ObjectPtr& object) {
    if (limit != 0 && static_cast<int64_t>(page.objects.size()) == limit) {
      page.rest = object->key;
      return false;
    }
    page.objects.push_back(object);
    return true;
  });
  return page;
}

}  // namespace

Status NotFound(const Call& call) {
  return Status(Code::kNotFound, call.kind.Resource() + " \"" + call.route.name + "\" not found");
}

base::Result<ObjectPtr> Existing(const Call& call) {
  ObjectPtr object = call.view.Get(call.ObjectKey());
  if (object == nullptr) return NotFound(call);
  return object;
}

Response Respond(Body body, Revision at_least) {
  return {.http = Responding(std::move(body)), .at_least = at_least};
}

base::Result<Answer> HandleGet(const Call& call) {
  ASSIGN_OR_RETURN(const ReadVersion version, ParseVersion(call.request));
  RETURN_IF_ERROR(CheckNotAhead(version.revision, call.view));
  ASSIGN_OR_RETURN(const ObjectPtr object, Existing(call));
  return Answer(
      Respond(RenderObject(call.kind, object, call.as, call.context.now), object->revision));
}

std::optional<Revision> Api::WantedRevision(const base::HttpRequest& request) {
  if (request.method != "GET") return std::nullopt;
  if (const auto token = ParseContinue(request.Query("continue")); token && token->revision != 0)
    return token->revision;
  const auto version = ParseVersion(request);
  if (version.ok() && version->match == "Exact" && version->revision != 0) return version->revision;
  return std::nullopt;
}

bool Api::IsLong(const base::HttpRequest& request, const View& view) {
  const ApiRoute route = ParseRoute(request.segments);
  const std::string verb = VerbOf(request, route);
  if (!route.is_resource) return verb == "get" && IsDiscovery(request);
  if (verb == "get" && !IsStream(route.subresource)) {
    const ObjectPtr object = view.Get(route.Resource(), route.ns, route.name);
    return object != nullptr && object->document.Bytes().size() > kMaxShortBytes;
  }
  if (verb != "list" && verb != "deletecollection") return false;
  size_t bytes = 0;
  for (const ObjectPtr& object : view.List(route.Resource(), route.ns)) {
    bytes += object->document.Bytes().size();
    if (bytes > kMaxShortBytes) return true;
  }
  return false;
}

base::Result<Answer> HandleList(const Call& call) {
  const base::HttpRequest& request = call.request;
  ASSIGN_OR_RETURN(const Selection selection,
                   Selection::Parse(request, call.route, call.HeldKind()));
  ASSIGN_OR_RETURN(const ReadVersion version, ParseVersion(request));
  RETURN_IF_ERROR(CheckListOptions(request, version));
  RETURN_IF_ERROR(CheckNotAhead(version.revision, call.view));
  if (version.match == "Exact" && version.revision != call.view.revision()) {
    return Status(Code::kExpired, "The resourceVersion for the provided list is too old.");
  }
  int64_t limit = 0;
  const std::string_view limit_text = request.Query("limit");
  if (!limit_text.empty() && (!ParseNumber(limit_text, limit) || limit < 0)) {
    return Status(Code::kBadRequest, "limit: must be a number of at least 0");
  }
  Key from = selection.FirstKey();
  const std::string_view continued = request.Query("continue");
  bool consistent = true;
  if (!continued.empty()) {
    const std::optional<ContinueToken> token = ParseContinue(continued);
    if (!token || (!call.route.ns.empty() && token->from.ns != call.route.ns)) {
      return Status(Code::kBadRequest, "continue key is not valid: it is not one of this list's");
    }
    if (token->revision != 0 && token->revision != call.view.revision())
      return ExpiredToken(*token, call.as);
    consistent = token->revision != 0;
    from.ns = token->from.ns;
    from.name = token->from.name;
  }
  const Page page = ReadPage(call.view, selection, from, limit);
  ListMeta meta{call.view.revision(), "", std::nullopt};
  if (page.rest) {
    meta.continue_token = Print({consistent ? call.view.revision() : 0, *page.rest});
    if (selection.TakesAll())
      meta.remaining = static_cast<int64_t>(call.view.CountFrom(*page.rest, selection.ns()));
  }
  Response response = Respond(RenderList(call.kind, page.objects, meta, call.as, call.context.now),
                              call.view.revision());
  response.keep_view = page.rest.has_value() && consistent;
  return Answer(std::move(response));
}

base::Result<Answer> HandleWatch(const Call& call) {
  const base::HttpRequest& request = call.request;
  ASSIGN_OR_RETURN(Selection selection, Selection::Parse(request, call.route, call.HeldKind()));
  ASSIGN_OR_RETURN(const ReadVersion version, ParseVersion(request));
  if (!request.Query("continue").empty())
    return Status(Code::kBadRequest, "continue is not allowed with watch");
  const std::string_view send = request.Query("sendInitialEvents");
  if (!send.empty() && version.match != "NotOlderThan") {
    return Status(Code::kInvalid,
                  "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
  }
  if (send.empty() && !version.match.empty()) {
    return Status(Code::kInvalid,
                  "resourceVersionMatch is forbidden for watch unless sendInitialEvents is "
                  "provided");
  }
  RETURN_IF_ERROR(CheckNotAhead(version.revision, call.view));
  WatchRequest watch;
  watch.selection = std::move(selection);
  watch.as = call.as;
  watch.bookmarks = QueryFlag(request, "allowWatchBookmarks");
  const bool send_initial =
      send.empty() ? version.revision == 0 : QueryFlag(request, "sendInitialEvents");
  const bool from_now = send_initial || version.revision == 0;
  watch.after = from_now ? call.view.revision() : version.revision;
  watch.initial = send_initial;
  watch.initial_end = send_initial && !send.empty() && watch.bookmarks;
  if (watch.initial) watch.snapshot = call.view;
  int64_t timeout = 0;
  const std::string_view timeout_text = request.Query("timeoutSeconds");
  if (!timeout_text.empty() && (!ParseNumber(timeout_text, timeout) || timeout < 0)) {
    return Status(Code::kBadRequest, "timeoutSeconds: must be a number of at least 0");
  }
  constexpr int64_t kMaxTimeoutSeconds = 24 * 3600;
  if (timeout > 0) watch.timeout = base::Duration::Seconds(std::min(timeout, kMaxTimeoutSeconds));
  return Answer(std::move(watch));
}

}  // namespace state

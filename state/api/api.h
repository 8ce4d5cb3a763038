// Api: the REST API of Kubernetes as a function from a request and a View to an Answer.
//
// Pure: it reads no clock and changes nothing; what is to be committed, watched or streamed comes
// back as a value, and ApiServer does it. Immutable, any thread; copies share the OpenAPI
// documents.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/net/http.h"
#include "state/api/openapi.h"
#include "state/api/watch.h"
#include "state/draft.h"
#include "state/pod_stream.h"
#include "state/store.h"

namespace state {

// What GET /version says.
struct VersionInfo {
  std::string program = "plumb";  // becomes part of gitVersion
  std::string program_version = "dev";
  std::string kubernetes = "1.35.0";  // whose API this is
};

// The response, once `at_least` is durable.
struct Response {
  base::HttpResponse http;
  Revision at_least = 0;
  bool keep_view = false;  // a continue token was given out for the View: keep it for a while
};

// A transaction to be committed; the response is render's, once that is durable. Of a failed commit
// it is FailureAnswer.
struct Proposed {
  Transaction transaction;
  std::function<base::HttpResponse(const Store::Committed&)> render;
};

// A watch begins once its `after` is durable; a stream to a pod's node at once.
using Answer = std::variant<Response, Proposed, WatchRequest, PodStream>;

class Api {
 public:
  // `openapi` is that of the schema that most Views have; for others, the documents are made
  // whenever they are asked for.
  explicit Api(VersionInfo version, std::shared_ptr<const OpenApi> openapi = nullptr);

  // `request` is authenticated: an empty user is nobody. `context` is that of a draft over `view`.
  Answer Handle(const base::HttpRequest& request, const View& view,
                const DraftContext& context) const;

  // Whether the answer is long work: a list walks all of its range, if only to count what remains,
  // and makes a text of it; a large object is converted and encoded; what there is to discover is
  // gathered from the schema; the objects of a collection are deleted. Such a request changes
  // nothing, or only what it finds (a commit says if that has changed), so a worker may Handle it.
  static bool IsLong(const base::HttpRequest& request, const View& view);
  static constexpr size_t kMaxShortBytes = 64u << 10;  // of objects; cheaper here than handed over

  // The revision whose View would answer best, if it is still at hand: of a continued list, or of
  // resourceVersionMatch=Exact.
  static std::optional<Revision> WantedRevision(const base::HttpRequest& request);

 private:
  VersionInfo version_;
  std::shared_ptr<const OpenApi> openapi_;
};

}  // namespace state

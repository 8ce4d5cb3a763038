#include "plumb/commands/client.h"

#include <cstdlib>

#include "base/base64.h"
#include "base/document.h"
#include "base/edge/files.h"
#include "base/net/edge/pki.h"
#include "manifests/yaml/yaml.h"
#include "plumb/data_directory.h"

namespace plumb {
namespace {

constexpr size_t kMaxKubeconfig = 1 << 20;
constexpr size_t kMaxLine = 16u << 20;

std::string KubeconfigPath(const Arguments& arguments) {
  if (arguments.Has(kKubeconfigFlag)) return arguments.Get(kKubeconfigFlag);
  if (const char* path = std::getenv("KUBECONFIG"); path != nullptr && *path != '\0') return path;
  return DataDirectory(kDefaultDataDir).kubeconfig();
}

const base::Json& Named(const base::Json& list, std::string_view name) {
  static const base::Json kNone;
  for (const base::Json& each : list.Elements()) {
    if (each["name"].AsString() == name) return each;
  }
  return kNone;
}

// A failure as the server words it (metav1.Status), or by its HTTP status.
base::Status FailureOf(const base::HttpAnswer& answer) {
  const base::Result<base::Json> json = base::ParseJson(answer.body);
  std::string message =
      json.ok() ? std::string((*json)["message"].AsString()) : answer.body.substr(0, 200);
  if (message.empty())
    message = "the server answered with HTTP status " + std::to_string(answer.status);
  base::Code code = base::Code::kInternal;
  for (int i = static_cast<int>(base::Code::kBadRequest);
       i <= static_cast<int>(base::Code::kCancelled); ++i) {
    const base::CodeInfo& info = base::InfoOf(static_cast<base::Code>(i));
    if (info.http_status == answer.status) {
      code = info.code;
      break;
    }
  }
  return base::Status(code, message);
}

}  // namespace

base::Result<Client> Client::Connect(const Arguments& arguments, base::Duration max_wait) {
  const std::string path = KubeconfigPath(arguments);
  const base::Result<std::string> text = base::ReadFile(path, kMaxKubeconfig);
  if (!text.ok()) {
    return base::Status(text.status().code(), "no kubeconfig at " + path +
                                                  "; name one with --kubeconfig or $KUBECONFIG (" +
                                                  std::string(text.status().message()) + ")");
  }
  const manifests::YamlFile file = manifests::ParseYaml(*text);
  if (!file.errors.empty() || file.documents.empty()) {
    return base::Status(
        base::Code::kInvalid,
        path + " is no kubeconfig" + (file.errors.empty() ? "" : ": " + file.errors[0].message));
  }
  const base::Json& config = file.documents[0];
  const base::Json& context =
      Named(config["contexts"], config["current-context"].AsString())["context"];
  const base::Json& cluster = Named(config["clusters"], context["cluster"].AsString())["cluster"];
  const base::Json& user = Named(config["users"], context["user"].AsString())["user"];
  base::HttpClientOptions options;
  const auto decode = [](const base::Json& field, std::string& into) -> base::Status {
    ASSIGN_OR_RETURN(into, base::Base64Decode(field.AsString()));
    return base::Status();
  };
  RETURN_IF_ERROR(decode(cluster["certificate-authority-data"], options.ca_pem));
  RETURN_IF_ERROR(decode(user["client-certificate-data"], options.certificate_pem));
  RETURN_IF_ERROR(decode(user["client-key-data"], options.key_pem));
  options.read_timeout = max_wait;
  Client client;
  client.token_ = user["token"].AsString();
  client.url_ = cluster["server"].AsString();
  if (client.url_.empty())
    return base::Status(base::Code::kInvalid, path + " names no server in its current context");
  client.http_ = std::make_shared<base::HttpClient>(options);
  return client;
}

base::HttpCall Client::Call(const char* method, const std::string& path) const {
  base::HttpCall call{
      .method = method, .url = url_ + path, .headers = {{"Accept", "application/json"}}};
  if (!token_.empty()) call.headers.emplace_back("Authorization", "Bearer " + token_);
  return call;
}

base::Result<base::Json> Client::Do(base::HttpCall call) {
  ASSIGN_OR_RETURN(const base::HttpAnswer answer, http_->Do(call));
  if (answer.status < 200 || answer.status > 299) return FailureOf(answer);
  if (answer.body.empty()) return base::Json();
  return base::ParseJson(answer.body);
}

base::Result<base::Json> Client::Get(const std::string& path) { return Do(Call("GET", path)); }

base::Result<base::Json> Client::Send(const std::string& method, const std::string& path,
                                      const base::Json& body) {
  base::HttpCall call = Call(method.c_str(), path);
  call.headers.emplace_back("Content-Type", "application/json");
  if (!body.IsNull()) call.body = body.ToString();
  return Do(std::move(call));
}

base::Result<base::Json> Client::Post(const std::string& path, const std::string& content_type,
                                      std::string body) {
  base::HttpCall call = Call("POST", path);
  call.headers.emplace_back("Content-Type", content_type);
  call.body = std::move(body);
  return Do(std::move(call));
}

base::Status Client::Read(const std::string& path,
                          const std::function<bool(std::string_view)>& take) {
  base::HttpCall call = Call("GET", path);
  call.on_data = take;
  ASSIGN_OR_RETURN(const base::HttpAnswer answer, http_->Do(call));
  return answer.status < 200 || answer.status > 299 ? FailureOf(answer) : base::Status();
}

base::Status Client::Follow(const std::string& path,
                            const std::function<bool(const base::Json&)>& line) {
  std::string pending;
  bool stopped = false;
  base::Status bad;
  base::HttpCall call = Call("GET", path);
  call.on_data = [&](std::string_view bytes) {
    pending += bytes;
    for (size_t end; (end = pending.find('\n')) != std::string::npos; pending.erase(0, end + 1)) {
      const base::Result<base::Json> json = base::ParseJson(pending.substr(0, end));
      if (!json.ok()) return bad = json.status(), false;
      if (!line(*json)) return stopped = true, false;
    }
    return pending.size() <= kMaxLine;
  };
  const base::Result<base::HttpAnswer> answer = http_->Do(call);
  if (stopped) return base::Status();
  if (!bad.ok()) return bad;
  if (!answer.ok()) return answer.status();
  return answer->status > 299 ? FailureOf(*answer) : base::Status();
}

}  // namespace plumb

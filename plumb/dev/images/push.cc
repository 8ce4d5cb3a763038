// The OCI distribution specification 1.0: a blob is asked for by HEAD, opened for upload by POST
// and sent by one PUT to the place that the answer names; the manifest comes last, by PUT, and
// makes the tag.

#include "plumb/dev/images/push.h"

#include <httplib.h>

namespace plumb {
namespace {

constexpr time_t kTimeoutSeconds = 30;

base::Status Unexpected(const std::string& what, const httplib::Result& result) {
  std::string reason =
      result ? "it answered " + std::to_string(result->status) + " " + result->body.substr(0, 200)
             : httplib::to_string(result.error());
  return {base::Code::kUnavailable, "the registry did not take " + what + ": " + reason};
}

base::Status PushBlob(httplib::Client& client, const std::string& base,
                      const nodeagent::Blob& blob) {
  httplib::Result head = client.Head(base + "/blobs/" + blob.digest);
  if (head && head->status == 200) return {};
  httplib::Result open = client.Post(base + "/blobs/uploads/");
  if (!open || open->status != 202) return Unexpected("an upload", open);
  std::string place = open->get_header_value("Location");
  place += (place.find('?') == std::string::npos ? "?digest=" : "&digest=") + blob.digest;
  httplib::Result put = client.Put(place, blob.content, "application/octet-stream");
  if (!put || put->status != 201) return Unexpected("blob " + blob.digest, put);
  return {};
}

}  // namespace

base::Result<bool> PushImage(uint16_t port, const std::string& repository, const std::string& tag,
                             const nodeagent::OciImage& image) {
  httplib::Client client("127.0.0.1", port);
  client.set_connection_timeout(kTimeoutSeconds);
  client.set_read_timeout(kTimeoutSeconds);
  std::string base = "/v2/" + repository;
  std::string place = base + "/manifests/" + tag;
  const std::string media_type(nodeagent::kManifestMediaType);
  httplib::Headers accept = {{"Accept", media_type}};
  httplib::Result head = client.Head(place, accept);
  if (head && head->status == 200 &&
      head->get_header_value("Docker-Content-Digest") == image.manifest.digest) {
    return true;
  }
  RETURN_IF_ERROR(PushBlob(client, base, image.layer));
  RETURN_IF_ERROR(PushBlob(client, base, image.config));
  httplib::Result put = client.Put(place, image.manifest.content, media_type.c_str());
  if (!put || put->status != 201) return Unexpected(repository + ":" + tag, put);
  return false;
}

}  // namespace plumb

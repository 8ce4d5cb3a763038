// metav1.Status: how the API speaks of success and failure. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/net/http.h"
#include "base/status.h"
#include "manifests/schema.h"
#include "state/api/media.h"
#include "state/object.h"

namespace state {

// What a failure is about; `kind` may be null.
struct About {
  const manifests::Kind* kind = nullptr;
  std::string name;
};

// The Status object of a failure, with details.
base::Json FailureStatus(const base::Status& status, const About& about);
base::HttpResponse FailureAnswer(const base::Status& status, const About& about,
                                 const Representation& as = Representation());

// "Success", with the object's name, kind and uid.
base::Json SuccessStatus(const manifests::Kind& kind, const Object& object);

// A draft's refusal as Kubernetes words it: fields that the schema does not know are an error of
// decoding (400), whatever else is wrong.
base::Status AsDecodingError(const base::Status& status, const manifests::Kind& kind);

// "Warning: 299" headers: fields that are not known or not acted on. `warnings` as Draft's.
void AddWarnings(const std::vector<std::string>& warnings, base::HttpResponse& response);
inline constexpr size_t kMaxWarnings = 50;  // headers in one response

}  // namespace state

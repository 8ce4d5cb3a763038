// Report: where a rule writes down what is wrong. One call, one problem; the mark is that of the
// value at fault, or of the object that lacks it.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "manifests/validate.h"

namespace manifests {

class Report {
 public:
  Report(std::vector<Problem>& errors, std::vector<Problem>& warnings)
      : errors_(errors), warnings_(warnings) {}

  void Required(std::string field, std::string message, const base::Json& in) {
    Add("FieldValueRequired", std::move(field), std::move(message), in.mark);
  }
  void Invalid(std::string field, std::string message, const base::Json& at) {
    Add("FieldValueInvalid", std::move(field), std::move(message), at.mark);
  }
  void NotSupported(std::string field, std::string message, const base::Json& at) {
    Add("FieldValueNotSupported", std::move(field), std::move(message), at.mark);
  }
  void Duplicate(std::string field, std::string message, const base::Json& at) {
    Add("FieldValueDuplicate", std::move(field), std::move(message), at.mark);
  }
  void Forbidden(std::string field, std::string message, const base::Json& at) {
    Add("FieldValueForbidden", std::move(field), std::move(message), at.mark);
  }
  void TooLong(std::string field, std::string message, const base::Json& at) {
    Add("FieldValueTooLong", std::move(field), std::move(message), at.mark);
  }
  void Warn(std::string field, std::string message, base::Mark mark) {
    warnings_.push_back({std::move(field), "", std::move(message), mark});
  }
  void Add(std::string reason, std::string field, std::string message, base::Mark mark) {
    errors_.push_back({std::move(field), std::move(reason), std::move(message), mark});
  }

 private:
  std::vector<Problem>& errors_;
  std::vector<Problem>& warnings_;
};

}  // namespace manifests

#include "gitsync/edge/git_handles.h"

#include "gitsync/source/git_rules.h"

namespace gitsync {

using base::Code;
using base::Status;

namespace {

Code CodeOf(int error, int error_class) {
  switch (error) {
    case GIT_ENOTFOUND: return Code::kNotFound;
    case GIT_EEXISTS: return Code::kAlreadyExists;
    case GIT_EINVALIDSPEC: return Code::kInvalid;
    case GIT_ELOCKED: return Code::kUnavailable;
    case GIT_EMODIFIED: return Code::kConflict;
    case GIT_EMISMATCH: return Code::kCorruption;  // an object that is not what its id says
    default: break;
  }
  return error_class == GIT_ERROR_ZLIB || error_class == GIT_ERROR_OBJECT ? Code::kCorruption
                                                                          : Code::kInternal;
}

}  // namespace

Status GitFailure(int error, std::string_view what) {
  const git_error* last = git_error_last();
  std::string message(what);
  if (last != nullptr && last->message != nullptr) message += std::string(": ") + last->message;
  return Status(CodeOf(error, last != nullptr ? last->klass : 0), std::move(message));
}

std::string ToText(const git_oid& oid) {
  std::string text(GIT_OID_HEXSZ, '0');
  git_oid_fmt(text.data(), &oid);
  return text;
}

base::Result<git_oid> ParseOid(const std::string& text) {
  git_oid oid;
  if (!IsObjectId(text) || git_oid_fromstr(&oid, text.c_str()) != 0) {
    return Status(Code::kInvalid, "\"" + text + "\" is no object id of 40 hexadecimal digits");
  }
  return oid;
}

}  // namespace gitsync

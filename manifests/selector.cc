// A selector is a list of requirements that must all hold; none is everything. A missing label
// fails "in", ">", "<" and "exists", and passes "notin", "!=" and "does not exist". ">" and "<"
// compare integers; a label that is none fails both. "a=b" is "a in (b)", "a!=b" is "a notin (b)".
//
// Requirements are kept in the order of their keys, so that equal selectors print equal texts.
#include "manifests/selector.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "manifests/syntax.h"

namespace manifests {
namespace {

using base::Code;
using base::Result;
using base::Status;
using Operator = LabelSelector::Operator;
using Requirement = LabelSelector::Requirement;

constexpr size_t kMaxSelectorBytes = 64 << 10;  // of a selector in a query string
constexpr size_t kMaxShown = 100;               // bytes of a bad selector that a message repeats
constexpr size_t kFewRequirements = 8;  // each looks for its label, a walk through the labels

struct OperatorName {
  Operator op;
  std::string_view name;
};
constexpr std::array kOperatorNames = {OperatorName{Operator::kIn, "In"},
                                       OperatorName{Operator::kNotIn, "NotIn"},
                                       OperatorName{Operator::kExists, "Exists"},
                                       OperatorName{Operator::kDoesNotExist, "DoesNotExist"},
                                       OperatorName{Operator::kGreater, "Gt"},
                                       OperatorName{Operator::kLess, "Lt"}};

bool IsComparison(Operator op) { return op == Operator::kGreater || op == Operator::kLess; }

std::optional<int64_t> ToInteger(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// What every requirement must keep, whatever it was written in: the sentence that says what is
// wrong, or nothing.
std::optional<std::string> Check(const Requirement& requirement, bool label_values) {
  if (std::optional<std::string> bad = CheckFormat("qualifiedname", requirement.key)) return bad;
  const size_t count = requirement.values.size();
  switch (requirement.op) {
    case Operator::kIn:
    case Operator::kNotIn:
      if (count == 0) return "In and NotIn need at least one value; add one";
      break;
    case Operator::kExists:
    case Operator::kDoesNotExist:
      if (count != 0) return "Exists and DoesNotExist take no values; remove them";
      break;
    case Operator::kGreater:
    case Operator::kLess:
      if (count != 1 || !ToInteger(requirement.values[0]))
        return "Gt and Lt need exactly one value, an integer; write it like \"4\"";
      return std::nullopt;
  }
  for (const std::string& value : requirement.values) {
    std::optional<std::string> bad = CheckFormat("labelvalue", value);
    if (label_values && bad) return bad;
  }
  return std::nullopt;
}

// Reads the query-string form.
class SelectorReader {
 public:
  explicit SelectorReader(std::string_view text) : text_(text) {}

  Result<std::vector<Requirement>> Read() {
    std::vector<Requirement> requirements;
    SkipSpace();
    if (at_ == text_.size()) return requirements;
    while (true) {
      Requirement requirement;
      RETURN_IF_ERROR(ReadRequirement(requirement));
      if (std::optional<std::string> bad = Check(requirement, true)) return Bad(*bad);
      requirements.push_back(std::move(requirement));
      SkipSpace();
      if (at_ == text_.size()) return requirements;
      if (!Take(",")) return Bad("',' should stand at byte " + std::to_string(at_ + 1));
    }
  }

 private:
  Status Bad(const std::string& why) const {
    std::string shown(text_.substr(0, kMaxShown));
    if (shown.size() < text_.size()) shown += "...";
    return Status(Code::kBadRequest, "the selector \"" + shown + "\" cannot be read: " + why);
  }

  void SkipSpace() { at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size()); }

  bool Take(std::string_view token) {
    SkipSpace();
    if (!text_.substr(at_).starts_with(token)) return false;
    at_ += token.size();
    return true;
  }

  // What is neither space nor punctuation; may be empty.
  std::string Word() {
    SkipSpace();
    const size_t end = std::min(text_.find_first_of(" \t\r\n=!(),<>", at_), text_.size());
    std::string word(text_.substr(at_, end - at_));
    at_ = end;
    return word;
  }

  Status ReadRequirement(Requirement& out) {
    const bool absent = Take("!");
    out.key = Word();
    if (out.key.empty()) {
      return Bad("a label's name should stand at byte " + std::to_string(at_ + 1));
    }
    out.op = absent ? Operator::kDoesNotExist : Operator::kExists;
    if (absent) return Status();
    SkipSpace();
    if (at_ == text_.size() || text_[at_] == ',') return Status();
    if (Take("==") || Take("=")) return OneValue(Operator::kIn, out);
    if (Take("!=")) return OneValue(Operator::kNotIn, out);
    if (Take(">")) return OneValue(Operator::kGreater, out);
    if (Take("<")) return OneValue(Operator::kLess, out);
    const std::string word = Word();
    if (word == "in") return Values(Operator::kIn, out);
    if (word == "notin") return Values(Operator::kNotIn, out);
    return Bad("after \"" + out.key + "\" write =, ==, !=, in (...), notin (...), < or >");
  }

  Status OneValue(Operator op, Requirement& out) {
    out.op = op;
    out.values = {Word()};
    return Status();
  }

  Status Values(Operator op, Requirement& out) {
    out.op = op;
    if (!Take("(")) return Bad("'(' should follow in and notin");
    if (Take(")")) return Status();
    do {
      out.values.push_back(Word());
    } while (Take(","));
    if (!Take(")")) return Bad("the list of values is not closed; add ')'");
    std::sort(out.values.begin(), out.values.end());
    out.values.erase(std::unique(out.values.begin(), out.values.end()), out.values.end());
    return Status();
  }

  const std::string_view text_;
  size_t at_ = 0;
};

void SortByKey(std::vector<Requirement>& requirements) {
  std::stable_sort(requirements.begin(), requirements.end(),
                   [](const Requirement& a, const Requirement& b) { return a.key < b.key; });
}

// Appends the requirements of a list of {key, operator, values}.
Status ReadExpressions(base::Value expressions, bool node, std::vector<Requirement>& out) {
  if (!expressions.IsNull() && !expressions.IsArray())
    return Status(Code::kInvalid, "matchExpressions: write a list of {key, operator, values}");
  size_t index = 0;
  for (const base::Value expression : expressions.Elements()) {
    const std::string field = "matchExpressions[" + std::to_string(index++) + "]";
    const std::string_view name = expression["operator"].AsString();
    const auto known = std::find_if(kOperatorNames.begin(), kOperatorNames.end(),
                                    [&](const OperatorName& o) { return o.name == name; });
    if (known == kOperatorNames.end() || (!node && IsComparison(known->op))) {
      return Status(Code::kInvalid, field + ".operator: \"" + std::string(name) +
                                        "\" is unknown; write In, NotIn, Exists" +
                                        (node ? ", DoesNotExist, Gt or Lt" : " or DoesNotExist"));
    }
    Requirement requirement{std::string(expression["key"].AsString()), known->op, {}};
    for (const base::Value value : expression["values"].Elements())
      requirement.values.emplace_back(value.AsString());
    std::sort(requirement.values.begin(), requirement.values.end());
    if (std::optional<std::string> bad = Check(requirement, !node))
      return Status(Code::kInvalid, field + ": " + *bad);
    out.push_back(std::move(requirement));
  }
  return Status();
}

// Of integers; a text that is none is neither less nor greater.
bool IsLess(std::string_view a, std::string_view b) {
  const std::optional<int64_t> first = ToInteger(a);
  const std::optional<int64_t> second = ToInteger(b);
  return first.has_value() && second.has_value() && first.value() < second.value();
}

bool Holds(const Requirement& requirement, base::Value label) {
  if (!label.Exists())
    return requirement.op == Operator::kNotIn || requirement.op == Operator::kDoesNotExist;
  const auto listed = [&] {
    return std::binary_search(requirement.values.begin(), requirement.values.end(),
                              label.AsString(), std::less<>());
  };
  switch (requirement.op) {
    case Operator::kIn: return listed();
    case Operator::kNotIn: return !listed();
    case Operator::kExists: return true;
    case Operator::kDoesNotExist: return false;
    case Operator::kGreater: return IsLess(requirement.values[0], label.AsString());
    case Operator::kLess: return IsLess(label.AsString(), requirement.values[0]);
  }
  return false;
}

std::string Print(const Requirement& requirement) {
  std::string values;
  for (const std::string& value : requirement.values) {
    values += (&value == &requirement.values[0] ? "" : ",") + value;
  }
  const bool one = requirement.values.size() == 1;
  switch (requirement.op) {
    case Operator::kIn: return requirement.key + (one ? "=" + values : " in (" + values + ")");
    case Operator::kNotIn:
      return requirement.key + (one ? "!=" + values : " notin (" + values + ")");
    case Operator::kExists: return requirement.key;
    case Operator::kDoesNotExist: return "!" + requirement.key;
    case Operator::kGreater: return requirement.key + ">" + values;
    case Operator::kLess: return requirement.key + "<" + values;
  }
  return "";
}

Status TooLong(size_t size) {
  return Status(Code::kBadRequest, "a selector of " + std::to_string(size) +
                                       " bytes; the limit is " + std::to_string(kMaxSelectorBytes));
}

// A map of labels, where a LabelSelector has a map and a list.
bool IsPlainMap(base::Value selector) {
  for (const auto& [key, value] : selector.Members()) {
    if (value.IsString()) return true;
  }
  return false;
}

}  // namespace

LabelSelector LabelSelector::Nothing() {
  LabelSelector selector;
  selector.nothing_ = true;
  return selector;
}

Result<LabelSelector> LabelSelector::Parse(std::string_view text) {
  if (text.size() > kMaxSelectorBytes) return TooLong(text.size());
  LabelSelector selector;
  ASSIGN_OR_RETURN(selector.requirements_, SelectorReader(text).Read());
  SortByKey(selector.requirements_);
  return selector;
}

Result<LabelSelector> LabelSelector::FromObject(base::Value object) {
  if (object.IsNull()) return Nothing();
  if (!object.IsObject() || !(object["matchLabels"].IsNull() || object["matchLabels"].IsObject())) {
    return Status(Code::kInvalid,
                  "a selector is a map with matchLabels (a map of strings) and matchExpressions (a "
                  "list)");
  }
  LabelSelector selector;
  for (const auto& [key, value] : object["matchLabels"].Members()) {
    Requirement requirement{std::string(key), Operator::kIn, {std::string(value.AsString())}};
    if (std::optional<std::string> bad = Check(requirement, true))
      return Status(Code::kInvalid, "matchLabels: " + *bad);
    selector.requirements_.push_back(std::move(requirement));
  }
  RETURN_IF_ERROR(ReadExpressions(object["matchExpressions"], false, selector.requirements_));
  SortByKey(selector.requirements_);
  return selector;
}

Result<LabelSelector> LabelSelector::FromObject(const base::Json& object) {
  return FromObject(base::Document(object).root());
}

Result<LabelSelector> LabelSelector::FromWorkload(base::Value selector) {
  return IsPlainMap(selector) ? FromMap(selector) : FromObject(selector);
}

base::Value EqualLabelsOf(base::Value selector) {
  return IsPlainMap(selector) ? selector : selector["matchLabels"];
}

LabelSelector LabelSelector::FromMap(base::Value map) {
  LabelSelector selector;
  for (const auto& [key, value] : map.Members()) {
    selector.requirements_.push_back(
        Requirement{std::string(key), Operator::kIn, {std::string(value.AsString())}});
  }
  selector.nothing_ = selector.requirements_.empty();
  return selector;
}

// A list without elements demands nothing: that a whole term without any demand matches no node is
// the term's rule.
Result<LabelSelector> LabelSelector::FromExpressions(base::Value expressions) {
  LabelSelector selector;
  RETURN_IF_ERROR(ReadExpressions(expressions, true, selector.requirements_));
  SortByKey(selector.requirements_);
  return selector;
}

bool LabelSelector::Matches(base::Value labels) const {
  if (nothing_) return false;
  if (requirements_.size() <= kFewRequirements) {
    return std::all_of(requirements_.begin(), requirements_.end(),
                       [&](const Requirement& requirement) {
                         return Holds(requirement, labels[requirement.key]);
                       });
  }
  // Both are in the order of their keys: each is gone through once.
  const auto members = labels.Members();
  auto label = members.begin();
  for (const Requirement& requirement : requirements_) {
    while (label != members.end() && (*label).key < requirement.key) ++label;
    const bool there = label != members.end() && (*label).key == requirement.key;
    if (!Holds(requirement, there ? (*label).value : base::Value())) return false;
  }
  return true;
}

// The query-string form; "<none>" for what selects nothing, which that form cannot say.
std::string LabelSelector::ToString() const {
  if (nothing_) return "<none>";
  std::string text;
  for (const Requirement& requirement : requirements_) {
    if (!text.empty()) text += ',';
    text += Print(requirement);
  }
  return text;
}

// A backslash makes ',', '=' or '\' a part of the value.
Result<FieldSelector> FieldSelector::Parse(std::string_view text) {
  if (text.size() > kMaxSelectorBytes) return TooLong(text.size());
  const auto bad = [&](std::string_view why) {
    return Status(Code::kBadRequest, "the field selector \"" +
                                         std::string(text.substr(0, kMaxShown)) +
                                         "\" cannot be read: " + std::string(why));
  };
  FieldSelector selector;
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] == ',') continue;
    const size_t op = std::min(text.find_first_of("=!,", at), text.size());
    FieldSelector::Requirement requirement;
    requirement.path = text.substr(at, op - at);
    requirement.equal = !text.substr(op).starts_with("!=");
    if (op == text.size() || text[op] == ',' || (text[op] == '!' && requirement.equal))
      return bad("each part needs =, == or !=, like status.phase!=Running");
    if (requirement.path.empty()) return bad("a field's path should stand before the operator");
    at = op + (!requirement.equal || text.substr(op).starts_with("==") ? 2 : 1);
    for (; at < text.size() && text[at] != ','; ++at) {
      if (text[at] == '\\') {
        if (++at == text.size() || (text[at] != ',' && text[at] != '=' && text[at] != '\\'))
          return bad("a backslash can only stand before ',', '=' and '\\'");
      } else if (text[at] == '=') {
        return bad("an '=' in a value needs a backslash before it");
      }
      requirement.value += text[at];
    }
    selector.requirements_.push_back(std::move(requirement));
  }
  return selector;
}

}  // namespace manifests

#include "plumb/commands/config_file.h"

#include "base/edge/files.h"
#include "manifests/suggest.h"
#include "manifests/yaml/yaml.h"

namespace plumb {
namespace {

using base::Code;
using base::Json;
using base::Status;

class Reader {
 public:
  Reader(const std::string& path, const FlagSet& flags) : path_(path), flags_(flags) {}

  void Read(const Json& config) {
    if (!config.IsObject()) {
      return Add(config.mark, "expected \"key: value\" lines, as in \"listen: 0.0.0.0:6443\"");
    }
    for (const Json::Member& member : config.Members()) ReadKey(member.key, member.value);
  }

  void Add(base::Mark mark, const std::string& what) {
    errors_ += (errors_.empty() ? "" : "\n") + path_ + ":" + std::to_string(mark.line) + ":" +
               std::to_string(mark.column) + ": " + what;
  }

  base::Result<std::vector<std::string>> Result() const {
    if (!errors_.empty()) return Status(Code::kInvalid, errors_);
    return words_;
  }

 private:
  static bool IsForHumans(std::string_view flag) {
    return flag == "--help" || flag == kConfigFlag || !flag.starts_with("--");
  }

  void ReadKey(const std::string& key, const Json& value) {
    const std::string flag = "--" + key;
    if (!IsForHumans(flag) && flags_.with_value.contains(flag)) return ReadValue(flag, value);
    if (!IsForHumans(flag) && flags_.without.contains(flag)) {
      if (!value.IsBool()) return Add(value.mark, key + " is true or false");
      if (value.AsBool()) words_.push_back(flag);
      return;
    }
    std::vector<std::string_view> known;
    for (const auto* set : {&flags_.with_value, &flags_.without}) {
      for (const std::string& each : *set) {
        if (!IsForHumans(each)) known.push_back(std::string_view(each).substr(2));
      }
    }
    const std::string_view meant = manifests::Closest(key, known);
    Add(value.key_mark, "unknown key " + key +
                            (meant.empty() ? "; --help lists the flags, which are the keys"
                                           : "; did you mean " + std::string(meant) + "?"));
  }

  void ReadValue(const std::string& flag, const Json& value) {
    if (value.IsArray()) {
      for (const Json& element : value.Elements()) ReadValue(flag, element);
    } else if (value.IsString() || value.IsInt()) {
      words_.push_back(flag + "=" +
                       (value.IsInt() ? value.ToString() : std::string(value.AsString())));
    } else {
      Add(value.mark,
          flag.substr(2) + " takes a text; put it in quotes if it looks like " + "something else");
    }
  }

  const std::string& path_;
  const FlagSet& flags_;
  std::vector<std::string> words_;
  std::string errors_;
};

}  // namespace

base::Result<std::vector<std::string>> ParseConfig(std::string_view text, const std::string& path,
                                                   const FlagSet& flags) {
  Reader reader(path, flags);
  const manifests::YamlFile file = manifests::ParseYaml(text);
  for (const manifests::TextError& error : file.errors) reader.Add(error.mark, error.message);
  if (file.errors.empty() && file.documents.size() > 1) {
    reader.Add(file.documents[1].mark, "a configuration is one document; remove the \"---\"");
  } else if (file.errors.empty() && !file.documents.empty()) {
    reader.Read(file.documents[0]);
  }
  return reader.Result();
}

base::Result<Arguments> ParseWithConfig(const std::vector<std::string>& words, FlagSet flags) {
  flags.with_value.insert(kConfigFlag);
  ASSIGN_OR_RETURN(Arguments given, Arguments::Parse(words, flags));
  if (!given.Has(kConfigFlag)) return given;
  const std::string path = given.Get(kConfigFlag);
  const base::Result<std::string> text = base::ReadFile(path, kMaxConfigBytes);
  if (!text.ok()) return text.status().WithContext(kConfigFlag);
  ASSIGN_OR_RETURN(std::vector<std::string> all, ParseConfig(*text, path, flags));
  // A flag of the command line replaces all that the file says of it.
  std::erase_if(all,
                [&](const std::string& word) { return given.Has(word.substr(0, word.find('='))); });
  all.insert(all.end(), words.begin(), words.end());
  return Arguments::Parse(all, flags);
}

}  // namespace plumb

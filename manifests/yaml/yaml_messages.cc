#include "manifests/yaml/yaml_messages.h"

#include <yaml-cpp/exceptions.h>

#include <array>

namespace manifests {
namespace {

struct Translation {
  std::string_view theirs;  // the start of yaml-cpp's message
  std::string_view ours;
};
constexpr std::string_view kIndentation =
    "this does not fit what stands before it; check the indentation and the quotes of this line "
    "and "
    "the one above";
constexpr std::string_view kQuote =
    "this character cannot start a value; put the value in quotes if it is a text";
const std::array kTranslations = {
    Translation{YAML::ErrorMsg::END_OF_MAP_FLOW,
                "the '{' before this is not closed; add '}', or ',' before the next key"},
    Translation{YAML::ErrorMsg::END_OF_SEQ_FLOW,
                "the '[' before this is not closed; add ']', or ',' before the next element"},
    Translation{YAML::ErrorMsg::END_OF_MAP, kIndentation},
    Translation{YAML::ErrorMsg::END_OF_SEQ, kIndentation},
    Translation{YAML::ErrorMsg::MAP_VALUE,
                "a ':' where no key can stand; check the indentation, and put a text that holds "
                "\": \" in quotes"},
    Translation{YAML::ErrorMsg::MAP_KEY,
                "a '?' where no key can stand; put the value in quotes if it is a text"},
    Translation{YAML::ErrorMsg::BLOCK_ENTRY,
                "a list cannot start here; put each \"- \" on a line of its own below its key"},
    Translation{YAML::ErrorMsg::FLOW_END,
                "this bracket closes nothing; remove it, or put the text in quotes"},
    Translation{YAML::ErrorMsg::TAB_IN_INDENTATION, "a tab in the indentation; use spaces"},
    Translation{YAML::ErrorMsg::EOF_IN_SCALAR,
                "a text in quotes is not closed before this; add the closing quote"},
    Translation{YAML::ErrorMsg::UNKNOWN_TOKEN, kQuote},
    Translation{YAML::ErrorMsg::UNKNOWN_ANCHOR,
                "no anchor of this name stands before it; define it with '&', or put the value in "
                "quotes if it is a text"},
    Translation{YAML::ErrorMsg::ALIAS_NOT_FOUND,
                "a name should follow '*'; put the value in quotes if it is a text"},
    Translation{YAML::ErrorMsg::ANCHOR_NOT_FOUND,
                "a name should follow '&'; put the value in quotes if it is a text"},
    Translation{YAML::ErrorMsg::CHAR_IN_ALIAS,
                "a character that no alias can have; put the value in quotes if it is a text"},
    Translation{YAML::ErrorMsg::CHAR_IN_ANCHOR,
                "a character that no anchor can have; put the value in quotes if it is a text"},
    Translation{YAML::ErrorMsg::ALIAS_CONTENT,
                "an alias cannot have a tag or an anchor; remove one of the two"},
    Translation{YAML::ErrorMsg::INVALID_ESCAPE,
                "no such escape; write \\\\ for a backslash, or use single quotes"},
    Translation{YAML::ErrorMsg::INVALID_HEX, "a hexadecimal digit should be here"},
    Translation{YAML::ErrorMsg::INVALID_UNICODE,
                "an escape of no character; write the character itself"},
    Translation{YAML::ErrorMsg::CHAR_IN_BLOCK,
                "this cannot follow '|' or '>'; put the text on the next line"},
    Translation{YAML::ErrorMsg::ZERO_INDENT_IN_BLOCK,
                "the indentation of a block cannot be 0; write 1 to 9, or nothing"},
    Translation{YAML::ErrorMsg::MULTIPLE_TAGS, "a second tag; remove one of the two"},
    Translation{YAML::ErrorMsg::MULTIPLE_ANCHORS, "a second anchor; remove one of the two"},
    Translation{YAML::ErrorMsg::TAG_WITH_NO_SUFFIX,
                "an unfinished tag; put the value in quotes if it is a text"},
    Translation{YAML::ErrorMsg::END_OF_VERBATIM_TAG, "an unfinished tag; add '>'"},
    Translation{YAML::ErrorMsg::CHAR_IN_TAG_HANDLE,
                "a character that no tag can have; put the value in quotes if it is a text"}};

}  // namespace

std::string SentenceFor(std::string_view message) {
  for (const Translation& translation : kTranslations) {
    if (message.starts_with(translation.theirs)) return std::string(translation.ours);
  }
  return std::string(message) + "; correct the YAML here";
}

}  // namespace manifests

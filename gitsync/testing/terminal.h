// Terminal: a hook's session that keeps what a client would see.
#pragma once

#include <string>

#include "gitsync/source/push.h"

namespace gitsync {

struct Terminal : HookSession {
  bool Print(const std::string& line) override {
    text += line + "\n";
    return true;
  }
  void Finish(int code) override { text += "exit " + std::to_string(code) + "\n"; }
  bool finished() const { return text.find("exit ") != std::string::npos; }
  std::string text;
};

}  // namespace gitsync

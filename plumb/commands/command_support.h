// What the commands that talk to a server share: flags, help, a connection, the choice of a
// repository.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "plumb/commands/arguments.h"
#include "plumb/commands/client.h"
#include "plumb/commands/commands.h"
#include "plumb/commands/local_git.h"

namespace plumb {

inline constexpr const char* kOutputFlag = "-o";

// Parses words, knowing --help, --kubeconfig and, if `flags` has it, -o json. Absent: the command
// is over, its exit code is in `exit`; `wrong` is that of wrong usage.
std::optional<Arguments> ParseFlags(const Words& words, FlagSet flags, const char* help, int& exit,
                                    int wrong = 2);

struct Session {
  Arguments arguments;
  Client client;
};
// The same, with a connection.
std::optional<Session> Begin(const Words& words, FlagSet flags, const char* help, int& exit);

int WrongUsage(const char* help);
bool WantsJson(const Arguments& arguments);
void PrintJson(const base::Json& json);
// A string as it is, anything else as JSON.
std::string CellText(const base::Json& cell);

// --repo; or the one repository of plumb among the remotes of `git` (may be null); or, if the
// server has but one, that. kInvalid says what to choose from, kNotFound that there is none.
base::Result<std::string> ChooseRepository(const Arguments& arguments, Client& client,
                                           const LocalGit* git);

}  // namespace plumb

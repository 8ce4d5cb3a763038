// The commands of the program: each takes the words after its name and returns the exit code
// (README.md lists them).
#pragma once

#include <string>
#include <vector>

namespace plumb {

using Words = std::vector<std::string>;

int ServerCommand(const Words& words);  // server.cc
int AgentCommand(const Words& words);   // agent.cc
int UpCommand(const Words& words);      // up.cc
int RepoCommand(const Words& words);    // console_commands.cc
int TokenCommand(const Words& words);
int StatusCommand(const Words& words);
int WaitCommand(const Words& words);
int GitHookCommand(const Words& words);  // main.cc

}  // namespace plumb

// The commands of the program: each takes the words after its name and returns the exit code
// (README.md lists them).
#pragma once

#include <string>
#include <vector>

namespace plumb {

using Words = std::vector<std::string>;

int ServerCommand(const Words& words);  // server_command.cc
int AgentCommand(const Words& words);   // agent_command.cc
int UpCommand(const Words& words);
int RepoCommand(const Words& words);  // console_commands.cc
int TokenCommand(const Words& words);
int StatusCommand(const Words& words);  // status_command.cc
int DiffCommand(const Words& words);    // diff_command.cc
int WaitCommand(const Words& words);    // wait_command.cc
int SyncCommand(const Words& words);    // sync_command.cc
int SuspendCommand(const Words& words);
int ResumeCommand(const Words& words);
int BackupCommand(const Words& words);  // backup_command.cc
int RestoreCommand(const Words& words);

}  // namespace plumb

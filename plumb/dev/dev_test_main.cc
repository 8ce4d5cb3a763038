// The program of the tests of plumb dev. `up` starts its own binary as the daemons; so this one,
// called as `server`, `agent` and so on, stands in for them: with the real forwarder, a server that
// answers TCP, and agents that run a real containerd.

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/edge/files.h"
#include "base/edge/process.h"
#include "plumb/dev/commands.h"
#include "plumb/dev/forwarder.h"

namespace plumb {
namespace {

std::string Option(const std::vector<std::string>& args, const std::string& name) {
  for (size_t i = 0; i + 1 < args.size(); ++i) {
    if (args[i] == name) return args[i + 1];
  }
  return "";
}

// Answers every connection with one line, until SIGTERM.
int StandInServer(const std::vector<std::string>& args) {
  std::string listen_on = Option(args, "--listen");
  std::string directory = Option(args, "--data-dir");
  size_t colon = listen_on.find(':');
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(std::stoi(listen_on.substr(colon + 1))));
  inet_pton(AF_INET, listen_on.substr(0, colon).c_str(), &address.sin_addr);
  base::UniqueFd listener(socket(AF_INET, SOCK_STREAM, 0));
  int on = 1;
  setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0 ||
      listen(listener.get(), 64) != 0) {
    return 1;
  }
  base::Status status =
      base::WriteFileAtomic(directory + "/kubeconfig", "server: https://" + listen_on + "\n", 0600);
  if (status.ok()) status = base::WriteFileAtomic(directory + "/join-token", "secret\n", 0600);
  if (!status.ok()) return 1;
  while (true) {
    base::UniqueFd client(accept(listener.get(), nullptr, nullptr));
    constexpr char kAnswer[] = "this is the server\n";
    if (send(client.get(), kAnswer, sizeof(kAnswer) - 1, MSG_NOSIGNAL) < 0) continue;
  }
}

pid_t g_containerd = 0;

// Runs containerd as the real agent does, without its CRI plugin, and ends it on SIGTERM. With
// SIGKILL containerd and its containers outlive it, as they do the real one.
int StandInAgent(const std::vector<std::string>& args) {
  const auto token = base::ReadFile(Option(args, "--token-file"), 64);
  if (!token.ok() || *token != "secret\n") return 1;
  std::string directory = Option(args, "--data-dir") + "/containerd";
  if (!base::MakeDirectories(directory, 0700).ok()) return 1;
  std::string config = "version = 2\nroot = \"" + directory + "/root\"\nstate = \"" + directory +
                       "/state\"\ndisabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n[grpc]\n" +
                       "address = \"" + directory + "/containerd.sock\"\n";
  std::string path = directory + "/config.toml";
  if (!base::WriteFileAtomic(path, config, 0600).ok()) return 1;
  g_containerd = fork();
  if (g_containerd == 0) {
    execlp("containerd", "containerd", "--config", path.c_str(), nullptr);
    _exit(127);
  }
  signal(SIGTERM, [](int) { kill(g_containerd, SIGTERM); });
  int status = 0;
  while (waitpid(g_containerd, &status, 0) < 0 && errno == EINTR) {
  }
  return 0;
}

}  // namespace
}  // namespace plumb

int main(int argc, char** argv) {
  std::vector<std::string> args(argv + 1, argv + argc);
  std::string command = args.empty() ? "" : args[0];
  if (!args.empty()) args.erase(args.begin());
  if (command == "dev") return plumb::DevCommand(args);
  if (command == "dev-forward") return plumb::DevForwardCommand(args);
  if (command == "server") return plumb::StandInServer(args);
  if (command == "agent") return plumb::StandInAgent(args);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}

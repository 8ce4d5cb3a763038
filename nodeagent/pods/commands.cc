#include "nodeagent/pods/commands.h"

namespace nodeagent {
namespace {

template <typename... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <typename... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

std::string NamesOf(const std::vector<VolumeWrite>& volumes) {
  std::string names;
  for (const VolumeWrite& volume : volumes) names += " " + volume.name;
  return names;
}

}  // namespace

std::string ObjectOf(const Command& command) {
  return std::visit(Overloaded{
                        [](const PullImage& c) { return "image " + c.container; },
                        [](const RunSandbox&) { return std::string("sandbox"); },
                        [](const CreateContainer& c) { return "container " + c.config.name; },
                        [](const StartContainer& c) { return "container " + c.name; },
                        [](const StopContainer& c) { return "container " + c.name; },
                        [](const RemoveContainer& c) { return "garbage " + c.id; },
                        [](const StopSandbox&) { return std::string("sandbox"); },
                        [](const RemoveSandbox& c) { return "garbage " + c.id; },
                        [](const WriteVolumes&) { return std::string("volumes"); },
                        [](const RemoveVolumes&) { return std::string("volumes"); },
                        [](const ReadMessage& c) { return "message " + c.id; },
                    },
                    command);
}

std::string ToString(const Command& command) {
  return std::visit(
      Overloaded{
          [](const PullImage& c) { return "pull " + c.reference + " for " + c.container; },
          [](const RunSandbox& c) { return "run sandbox " + std::to_string(c.config.attempt); },
          [](const CreateContainer& c) {
            return "create " + c.config.name + " " + std::to_string(c.config.attempt);
          },
          [](const StartContainer& c) { return "start " + c.name; },
          [](const StopContainer& c) {
            return "stop " + c.name + " " + c.grace.ToString() + ": " + c.reason;
          },
          [](const RemoveContainer& c) { return "remove " + c.name; },
          [](const StopSandbox&) { return std::string("stop sandbox"); },
          [](const RemoveSandbox&) { return std::string("remove sandbox"); },
          [](const WriteVolumes& c) { return "write volumes" + NamesOf(c.volumes); },
          [](const RemoveVolumes&) { return std::string("remove volumes"); },
          [](const ReadMessage&) { return std::string("read message"); },
      },
      command);
}

}  // namespace nodeagent

// FakeContainerLogs: what the fake runtime's containers have logged, whole lines only.
#pragma once

#include <memory>
#include <string>

#include "nodeagent/pods/container_logs.h"
#include "nodeagent/testing/fake_runtime.h"

namespace nodeagent {

class FakeContainerLogs final : public ContainerLogs {
 public:
  explicit FakeContainerLogs(const FakeRuntime& runtime) : runtime_(runtime) {}
  base::Result<std::unique_ptr<LogText>> Open(const std::string& directory,
                                              const state::LogRequest& request) override;

 private:
  const FakeRuntime& runtime_;
};

}  // namespace nodeagent

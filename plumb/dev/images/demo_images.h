// Demo images: what examples and tests deploy, made on this machine without a network: hello:1 and
// hello:2, which differ in the version that they tell, and tools:1, a shell with busybox and hello.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace plumb {

inline constexpr char kBusyboxPath[] = "/bin/busybox";

// The program hello (dev/hello/), which is carried inside this one.
std::string_view HelloBinary();

// Pushes what the registry on 127.0.0.1:`port` lacks; the images' names.
base::Result<std::vector<std::string>> PushDemoImages(uint16_t port);

}  // namespace plumb

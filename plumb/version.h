// What `plumb version` and GET /version say.
#pragma once

namespace plumb {

inline constexpr const char* kVersion = "0.1.0";
inline constexpr const char* kKubernetesVersion =
    "v1.35.0";  // whose kinds and fields the type tables hold

}  // namespace plumb

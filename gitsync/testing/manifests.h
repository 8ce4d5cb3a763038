// What several tests deploy.
#pragma once

namespace gitsync {

inline constexpr char kWeb[] = R"(apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "hello:1"}]}
)";

}  // namespace gitsync

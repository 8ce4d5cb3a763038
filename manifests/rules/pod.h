// The rules of pods: whole Pods, and the templates that make them.
#pragma once

#include <initializer_list>
#include <set>
#include <string>
#include <string_view>

#include "base/json.h"
#include "manifests/rules/report.h"

namespace manifests {

void CheckPod(const base::Json& object, Report& report);
void CheckPodUpdate(const base::Json& before, const base::Json& after, Report& report);
void DefaultPod(base::Json& object);

// A template {metadata, spec} at `path`, whose pods are kept running: their restartPolicy must be
// Always.
void CheckPodTemplate(const base::Json& pod_template, std::string_view path, Report& report);
// The defaults that a template shares with a Pod.
void DefaultPodSpec(base::Json& spec);

using VolumeNames = std::set<std::string_view>;

// One container of a pod (containers.cc). `volumes` are the pod's; `host_network` is its flag.
void CheckContainer(const base::Json& container, std::string_view path, bool is_init,
                    const VolumeNames& volumes, bool host_network, Report& report);
// Warns of an amount that can be of bytes only, and is of less than anything needs.
void WarnOfFewBytes(std::string_view resource, const base::Json& amount, const std::string& path,
                    Report& report);
// ResourceRequirements: known names, nothing negative, requests within limits.
void CheckResources(const base::Json& resources, std::string_view path, Report& report);

// A PodAffinity or PodAntiAffinity, and a spec's topologySpreadConstraints (pod_affinity.cc).
void CheckPodAffinity(const base::Json& affinity, const std::string& path, Report& report);
void CheckTopologySpread(const base::Json& constraints, const std::string& path, Report& report);

// Reports unless exactly one member of `choices` is set in `object`; `none_allowed` permits none.
void CheckOneOf(const base::Json& object, std::string_view path,
                std::initializer_list<std::string_view> choices, bool none_allowed, Report& report);

}  // namespace manifests

// Clusters as tests write them, one object a line:
//
//   namespace shop team=a
//   node n1 zone=a cpu=4 memory=8Gi pods=110 taint=gpu:NoSchedule cordoned
//   pod web-1 on n1 in shop app=web cpu=500m memory=1Gi port=80/10.0.0.1 owner=rs1 leaving
//
// A word KEY=VALUE that is none of these is a label. A node has 4 cpu, 8Gi and 110 pods if it does
// not say; a pod is in "default", is bound only with `on`, and asks for nothing. Of pods further
// words are short for the longer fields (SELECTOR: a=b,c=d, or - for none, * for all):
//
//   near=SELECTOR@KEY              required affinity
//   rather-near=WEIGHT:SELECTOR@KEY    preferred; apart= and rather-apart= are anti-affinity
//   spread=MAXSKEW:SELECTOR@KEY    DoNotSchedule; rather-spread= is ScheduleAnyway
//     each with any of ;namespaces=a,b ;namespaceSelector=SELECTOR ;FIELD=JSON behind it
//   select=LABEL=VALUE             nodeSelector
//   tolerate=KEY:EFFECT            a toleration with operator Exists
//   spec={"FIELD":VALUE}           further fields of the spec, without a space
//
// A line that cannot be read ends the test program with a sentence.
#pragma once

#include <string>
#include <string_view>

#include "scheduler/schedule.h"
#include "state/view.h"

namespace scheduler {

state::View ViewFromText(std::string_view text);
// One "pod" line.
state::ObjectPtr PodFromText(std::string_view line);

// What the plugin of that name says of the pod on each node of the cluster, a line a node:
// "n1 70" (its score; "n1 fits" if it has none to give), "n2 cordoned". "no opinion" if the plugin
// has nothing to say of the pod.
std::string Ask(std::string_view plugin, std::string_view cluster, std::string_view pod);

// Whether a pod that `plugin` refuses wakes by going from one cluster to the other: which of the
// changed lines wake it, "none" if none does.
std::string WhatWakes(std::string_view plugin, std::string_view before, std::string_view after,
                      std::string_view pod);

}  // namespace scheduler

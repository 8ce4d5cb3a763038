#include "scheduler/testing/cluster_text.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <map>
#include <sstream>
#include <vector>

namespace scheduler {
namespace {

using base::Json;

[[noreturn]] void Unreadable(std::string_view word) {
  std::cerr << "cluster text: cannot read \"" << word << "\"\n";
  std::abort();
}

// Cuts off and returns what stands before the first `mark`.
std::string CutBefore(std::string& word, char mark) {
  const size_t at = word.find(mark);
  if (at == std::string::npos) Unreadable(word);
  std::string head = word.substr(0, at);
  word.erase(0, at + 1);
  return head;
}

std::vector<std::string> Split(const std::string& text, char mark) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, mark);) parts.push_back(part);
  return parts;
}

Json ToSelector(const std::string& text) {
  if (text == "-") return Json();
  Json selector = Json::MakeObject();
  if (text == "*") return selector;
  for (std::string pair : Split(text, ',')) {
    const std::string key = CutBefore(pair, '=');
    selector["matchLabels"].Set(key, pair);
  }
  return selector;
}

// SELECTOR@KEY[;FIELD=VALUE...] into the fields of a PodAffinityTerm or a TopologySpreadConstraint.
Json ToTerm(const std::string& text) {
  Json term = Json::MakeObject();
  const std::vector<std::string> parts = Split(text, ';');
  std::string key = parts.at(0);
  const std::string selector = key.substr(0, key.find('@'));
  key.erase(0, key.find('@') + 1);
  term.Set("topologyKey", key);
  if (selector != "-") term.Set("labelSelector", ToSelector(selector));
  for (size_t i = 1; i < parts.size(); ++i) {
    std::string value = parts[i];
    const std::string field = CutBefore(value, '=');
    if (field == "namespaces") {
      for (const std::string& each : Split(value, ',')) term["namespaces"].Append(each);
    } else if (field == "namespaceSelector") {
      term.Set(field, ToSelector(value));
    } else {
      const auto json = base::Document::Parse(value);
      if (!json.ok()) Unreadable(parts[i]);
      term.Set(field, json->ToJson());
    }
  }
  return term;
}

void AddAffinity(Json& spec, std::string_view side, const std::string& value, bool preferred) {
  Json& terms = spec["affinity"][side];
  if (!preferred) {
    terms["requiredDuringSchedulingIgnoredDuringExecution"].Append(ToTerm(value));
    return;
  }
  std::string term = value;
  const int weight = std::atoi(CutBefore(term, ':').c_str());
  terms["preferredDuringSchedulingIgnoredDuringExecution"].Append(
      Json::MakeObject({{"weight", weight}, {"podAffinityTerm", ToTerm(term)}}));
}

void AddSpread(Json& spec, const std::string& value, bool preferred) {
  std::string rest = value;
  const int max_skew = std::atoi(CutBefore(rest, ':').c_str());
  Json constraint = ToTerm(rest);
  constraint.Set("maxSkew", max_skew);
  constraint.Set("whenUnsatisfiable", preferred ? "ScheduleAnyway" : "DoNotSchedule");
  spec["topologySpreadConstraints"].Append(constraint);
}

void ReadPodWord(Json& pod, Json& container, const std::string& word) {
  std::string value = word;
  const std::string key = word == "leaving" ? word : CutBefore(value, '=');
  Json& spec = pod["spec"];
  if (key == "leaving") {
    pod["metadata"].Set("deletionTimestamp", "2026-01-01T00:00:00Z");
  } else if (key == "cpu" || key == "memory") {
    container["resources"]["requests"].Set(key, value);
  } else if (key == "port") {
    const int number = std::atoi(value.c_str());
    Json port = Json::MakeObject({{"containerPort", number}, {"hostPort", number}});
    if (value.find('/') != std::string::npos) port.Set("hostIP", value.substr(value.find('/') + 1));
    container["ports"].Append(port);
  } else if (key == "owner") {
    pod["metadata"].Set(
        "ownerReferences",
        Json::MakeArray({Json::MakeObject({{"uid", value}, {"controller", true}})}));
  } else if (key == "near" || key == "rather-near") {
    AddAffinity(spec, "podAffinity", value, key != "near");
  } else if (key == "apart" || key == "rather-apart") {
    AddAffinity(spec, "podAntiAffinity", value, key != "apart");
  } else if (key == "spread" || key == "rather-spread") {
    AddSpread(spec, value, key != "spread");
  } else if (key == "select") {
    const std::string label = CutBefore(value, '=');
    spec["nodeSelector"].Set(label, value);
  } else if (key == "tolerate") {
    const std::string taint = CutBefore(value, ':');
    spec["tolerations"].Append(
        Json::MakeObject({{"key", taint}, {"operator", "Exists"}, {"effect", value}}));
  } else if (key == "spec") {
    const auto json = base::Document::Parse(value);
    if (!json.ok()) Unreadable(word);
    for (const auto& [field, its] : json->root().Members())
      spec.Set(std::string(field), its.ToJson());
  } else {
    pod["metadata"]["labels"].Set(key, value);
  }
}

state::ObjectPtr ToObject(std::string_view resource, std::string_view ns, const std::string& name,
                          const Json& json) {
  auto object = std::make_shared<state::Object>();
  object->key = {std::string(resource), std::string(ns), name};
  object->revision = 1;
  object->document = base::Document(json);
  return object;
}

Json WithName(const std::string& name) {
  return Json::MakeObject({{"metadata", Json::MakeObject({{"name", name}})}});
}

state::ObjectPtr ToPod(std::istringstream& words) {
  std::string name, ns = "default";
  if (!(words >> name)) Unreadable("pod");
  Json pod = WithName(name);
  pod["metadata"].Set("uid", name);
  Json container = Json::MakeObject({{"name", "c"}});
  for (std::string word; words >> word;) {
    if (word == "on" && words >> word) {
      pod["spec"].Set("nodeName", word);
    } else if (word == "in" && words >> word) {
      ns = word;
    } else {
      ReadPodWord(pod, container, word);
    }
  }
  pod["metadata"].Set("namespace", ns);
  pod["spec"].Set("containers", Json::MakeArray({container}));
  return ToObject("pods", ns, name, pod);
}

state::ObjectPtr ToNode(std::istringstream& words) {
  std::string name;
  if (!(words >> name)) Unreadable("node");
  Json node = WithName(name);
  Json allocatable = Json::MakeObject({{"cpu", "4"}, {"memory", "8Gi"}, {"pods", "110"}});
  for (std::string word; words >> word;) {
    if (word == "cordoned") {
      node["spec"].Set("unschedulable", true);
      continue;
    }
    std::string value = word;
    const std::string key = CutBefore(value, '=');
    if (key == "taint") {
      const std::string taint = CutBefore(value, ':');
      node["spec"]["taints"].Append(Json::MakeObject({{"key", taint}, {"effect", value}}));
    } else if (key == "cpu" || key == "memory" || key == "pods" ||
               key.starts_with("example.com/")) {
      allocatable.Set(key, value);
    } else {
      node["metadata"]["labels"].Set(key, value);
    }
  }
  node["status"].Set("allocatable", allocatable);
  return ToObject("nodes", "", name, node);
}

state::ObjectPtr ToNamespace(std::istringstream& words) {
  std::string name;
  if (!(words >> name)) Unreadable("namespace");
  Json ns = WithName(name);
  for (std::string word; words >> word;) {
    const std::string key = CutBefore(word, '=');
    ns["metadata"]["labels"].Set(key, word);
  }
  return ToObject("namespaces", "", name, ns);
}

// Null for an empty line.
state::ObjectPtr ToAny(const std::string& line) {
  std::istringstream words(line);
  std::string kind;
  if (!(words >> kind)) return nullptr;
  if (kind == "pod") return ToPod(words);
  if (kind == "node") return ToNode(words);
  if (kind == "namespace") return ToNamespace(words);
  Unreadable(line);
}

const Plugin& Find(std::string_view name) {
  for (const auto& [plugin, weight] : AllPlugins()) {
    if (plugin->name == name) return *plugin;
  }
  Unreadable(name);
}

}  // namespace

state::View ViewFromText(std::string_view text) {
  state::View view;
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    if (state::ObjectPtr object = ToAny(line)) view.Put(std::move(object));
  }
  return view;
}

state::ObjectPtr PodFromText(std::string_view line) { return ToAny(std::string(line)); }

std::string Ask(std::string_view plugin, std::string_view cluster, std::string_view pod) {
  ClusterTable table(ViewFromText(cluster));
  const PodInfo info(PodFromText(pod));
  const Plugin& asked = Find(plugin);
  std::unique_ptr<Prepared> prepared =
      asked.prepare != nullptr ? asked.prepare(info, table) : std::make_unique<Prepared>(info);
  if (prepared == nullptr) return "no opinion";
  std::string text;
  for (const auto& [name, node] : table.nodes()) {
    text += name + " ";
    if (asked.fits != nullptr && !asked.fits(*prepared, node)) {
      text += asked.explain(*prepared, node).reason + "\n";
    } else {
      text += (asked.score != nullptr ? std::to_string(asked.score(*prepared, node)) : "fits") +
              std::string("\n");
    }
  }
  return text;
}

std::string WhatWakes(std::string_view plugin, std::string_view before, std::string_view after,
                      std::string_view pod) {
  std::map<state::Key, state::ObjectPtr> was, is;
  state::View view = ViewFromText(before);
  view.ForEach([&](const state::ObjectPtr& object) { was[object->key] = object; });
  ViewFromText(after).ForEach([&](const state::ObjectPtr& object) { is[object->key] = object; });
  ClusterTable table(view);
  const PodInfo info(PodFromText(pod));
  const Refusal refusal{info, "", {&Find(plugin)}};
  std::string text;
  const auto apply = [&](const state::Change& change) {
    const auto moved = table.Apply(change, view);
    if (moved && refusal.WakesOn(*moved)) text += (text.empty() ? "" : " ") + change.key().name;
  };
  for (const auto& [key, object] : is) {
    const auto previous = was.find(key);
    if (previous != was.end() && previous->second->document == object->document) continue;
    view.Put(object);
    apply({1, object, previous == was.end() ? nullptr : previous->second, false});
  }
  for (const auto& [key, object] : was) {
    if (is.contains(key)) continue;
    view.Remove(key);
    apply({1, object, object, true});
  }
  return text.empty() ? "none" : text;
}

}  // namespace scheduler

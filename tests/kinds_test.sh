#!/bin/bash
# What plumb knows of a kind stands in manifests/kinds/: no other room lists kinds. A list is where
# three or more names of kinds, as the store's keys have them ("pods", "deployments.apps"), stand
# within a few lines. Not counted are a constant that gives one name its own, and the name in a call
# that reads objects of one kind: Get("pods", ...), List("pods"), Key{"pods", ...}.
# Usage: kinds_test.sh REPOSITORY. First it checks itself on a tree with a list of each form.
set -euo pipefail

kMaxNames=2   # of kinds, in
kWindow=8     # lines

# Lists of something else than what is known of kinds: regex of the file | reason
EXCEPTIONS=(
  '^reconciler/controllers/|a controller says which changes concern it'
  '^state/authorize\.cc$|who may do what, until roles are objects'
)

is_excepted() {  # FILE
  local entry
  for entry in "${EXCEPTIONS[@]}"; do
    [[ $1 =~ ${entry%%|*} ]] && return 0
  done
  return 1
}

# "pods|deployments.apps|...", of the tables.
kind_names() {
  awk '/^apiVersion:/ { group = ""; if ($2 ~ /\//) { group = "." $2; sub(/\/.*/, "", group) } }
       /^ +plural:/ { print $2 group }' manifests/types/*.yaml | sort -u | paste -sd'|'
}

check_tree() {  # prints every list of kinds in the current directory
  local names file
  names=$(kind_names)
  find . -path './build*' -prune -o \( -name '*.h' -o -name '*.cc' \) -print | sed 's|^\./||' |
    grep -vE '^(manifests|tests)/|/testing/|_test\.(cc|h)$' | sort | while read -r file; do
    is_excepted "$file" && continue
    awk -v file="$file" -v names="$names" -v most=$kMaxNames -v window=$kWindow '
      BEGIN { count = split(names, list, "|"); for (i = 1; i <= count; ++i) known[list[i]] = 1 }
      /^ *\/\// || /constexpr std::string_view k[A-Za-z]+ =/ { next }
      {
        text = $0
        while (match(text, /"[a-z0-9.]+"/)) {
          name = substr(text, RSTART + 1, RLENGTH - 2)
          before = substr(text, 1, RSTART - 1)
          text = substr(text, RSTART + RLENGTH)
          # A member of an object, ["pods"], or of a list of pairs, {"pods", value}, is no kind.
          if (name in known && before !~ /(Get\(|List\(|Key\{|\[)$/ && text !~ /^\]/) last[name] = NR
        }
        found = 0
        for (name in last) if (NR - last[name] < window) ++found
        if (found > most && !told) {
          print file ":" NR ": a list of kinds; what is known of a kind belongs in manifests/kinds/"
          told = 1
        }
        if (found <= most) told = 0
      }' "$file"
  done
}

self_test() {
  local tree expected
  tree=$(mktemp -d)
  trap 'rm -rf "$tree"' RETURN
  cd "$tree"
  mkdir -p manifests/types manifests/kinds gitsync reconciler/controllers
  printf 'apiVersion: v1\nkinds:\n  Pod:\n    plural: pods\n  Node:\n    plural: nodes\n' \
    >manifests/types/core.v1.yaml
  printf 'apiVersion: apps/v1\nkinds:\n  Deployment:\n    plural: deployments\n' \
    >manifests/types/apps.v1.yaml
  # What is allowed.
  local three='"pods", "nodes", "deployments.apps"'
  printf 'const char* kAll[] = {%s};\n' "$three" >manifests/kinds/all.cc
  printf 'bool Affects() { return Is(%s); }\n' "$three" >reconciler/controllers/a.cc
  printf 'auto a = view.Get("pods", ns), b = view.List("nodes");\nif (x == "deployments.apps") y();\n' \
    >gitsync/reads.cc
  printf 'if (x == "pods" || x == "nodes") y();\nvalue["deployments.apps"];\n' >gitsync/two.cc
  printf 'constexpr std::string_view kPods = "pods";\nconstexpr std::string_view kNodes = "nodes";\nif (x == "deployments.apps") y();\n' \
    >gitsync/constants.cc
  { printf 'a("pods");\nb("nodes");\n'; (yes '' || true) | head -n $kWindow; printf 'c("deployments.apps");\n'; } \
    >gitsync/far.cc
  # A list of each form.
  printf 'constexpr std::string_view kTable[] = {%s};\n' "$three" >gitsync/table.cc
  printf 'if (r == "pods") a();\nif (r == "nodes") b();\nif (r == "deployments.apps") c();\n' \
    >gitsync/chain.cc
  printf 'return Is("pods") ||\n       Is("nodes") ||\n       Is("deployments.apps");\n' >gitsync/calls.cc
  expected='gitsync/calls.cc:3: a list of kinds; what is known of a kind belongs in manifests/kinds/
gitsync/chain.cc:3: a list of kinds; what is known of a kind belongs in manifests/kinds/
gitsync/table.cc:1: a list of kinds; what is known of a kind belongs in manifests/kinds/'
  diff <(echo "$expected") <(check_tree) || {
    echo 'kinds_test.sh does not see what it should (expected < > seen)'
    exit 1
  }
}

repository=$(realpath "$1")
self_test
cd "$repository"
lists=$(check_tree)
if [[ -n $lists ]]; then
  echo "$lists"
  exit 1
fi

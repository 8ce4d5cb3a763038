#!/bin/bash
# "To add a thing, write one file, and one line in that folder's all.cc": holds the tables of
# CONTRIBUTING.md to it. In each folder of TABLES
#   - what a file defines in the table's form has exactly one line DO(Name) in all.cc, and each line
#     such a definition;
#   - the file has the thing's name, small, with or without underscores;
#   - no other file of the product knows the definition: all.cc declares it.
# Usage: tables_test.sh REPOSITORY. First it checks itself on a tree with one sin of each kind.
set -euo pipefail

# folder | type of what is defined | its name is PREFIX Name SUFFIX
TABLES=(
  'manifests/kinds|extern constinit const KindFacts|k|Facts'
  'reconciler/controllers|std::unique_ptr<Controller>|New|Controller'
  'reconciler/rollout|extern const Strategy|k|'
  'scheduler/plugins|extern const Plugin|k|Plugin'
  'state/admission|base::Status|Admit|'
  'gitsync/report/notifiers|extern constinit const Notifier|k|Notifier'
  'nodeagent/volumes/kinds|extern const VolumeKind|k|Volume'
  'nodeagent/pods/checks|extern const CheckKind|k|Check'
)

small() { tr -d '_' <<<"$1" | tr '[:upper:]' '[:lower:]'; }

# "FILE Name", of each definition.
definitions() {  # FOLDER TYPE PREFIX SUFFIX
  grep -oE "^$2 $3[A-Z][A-Za-z0-9]*$4( =|\()" "$1"/*.cc | grep -vE "^$1/all\.cc:" |
    sed -E "s/^([^:]*):$2 $3([A-Za-z0-9]*)$4( =|\()/\1 \2/" || true
}

check_table() {  # FOLDER TYPE PREFIX SUFFIX
  local file name names=' '
  while read -r file name; do
    names+="$name "
    [[ $(small "$(basename "$file" .cc)") == "$(small "$name")" ]] ||
      echo "$file: defines $name; name the file so"
    [[ $(grep -cE "^ *DO\($name[,)]" "$1/all.cc") == 1 ]] ||
      echo "$1/all.cc: not one line for $name, which $file defines"
    git grep -lw "$3$name$4" -- '*.h' '*.cc' ':!tests' ':!*_test.cc' |
      grep -vxF -e "$file" -e "$1/all.cc" | sed "s|\$|: knows $3$name$4; only $1/all.cc does|" || true
  done < <(definitions "$@")
  grep -oE '^ *DO\([A-Za-z0-9]+' "$1/all.cc" | sed 's/.*(//' | while read -r name; do
    [[ $names == *" $name "* ]] || echo "$1/all.cc: no file of the folder defines $name"
  done
}

check_tree() {
  local table folder type prefix suffix
  for table in "${TABLES[@]}"; do
    IFS='|' read -r folder type prefix suffix <<<"$table"
    if [[ -e $folder/all.cc ]]; then
      check_table "$folder" "$type" "$prefix" "$suffix"
    else
      echo "$folder/all.cc: missing"
    fi
  done
}

self_test() {
  local tree expected table folder
  tree=$(mktemp -d)
  trap 'rm -rf "$tree"' RETURN
  cd "$tree"
  git init -q .
  for table in "${TABLES[@]}"; do
    folder=${table%%|*}
    mkdir -p "$folder"
    printf '#define FOR_EACH(DO)\n' >"$folder/all.cc"
  done
  printf 'extern const Plugin kTaintsPlugin = {};\n' >scheduler/plugins/taints.cc
  printf 'extern const Plugin kNodeNamePlugin = {};\n' >scheduler/plugins/nodename.cc
  printf 'extern const Plugin kHostPortsPlugin = {};\n' >scheduler/plugins/ports.cc
  printf 'extern const Plugin kLostPlugin = {};\n' >scheduler/plugins/lost.cc
  printf '  DO(Taints, 3) \\\n  DO(NodeName, 0) \\\n  DO(HostPorts, 0) \\\n  DO(Gone, 1)\n' \
    >>scheduler/plugins/all.cc
  printf 'base::Status AdmitQuota(AdmissionRequest& request) {\n' >state/admission/quota.cc
  printf '  DO(Quota)\n' >>state/admission/all.cc
  printf 'return AdmitQuota(request);\n' >state/draft.cc
  printf 'AdmitQuota(request);\n' >state/draft_test.cc
  git add .
  expected='scheduler/plugins/all.cc: no file of the folder defines Gone
scheduler/plugins/all.cc: not one line for Lost, which scheduler/plugins/lost.cc defines
scheduler/plugins/ports.cc: defines HostPorts; name the file so
state/draft.cc: knows AdmitQuota; only state/admission/all.cc does'
  diff <(echo "$expected") <(check_tree | sort) || {
    echo 'tables_test.sh does not see what it should (expected < > seen)'
    exit 1
  }
}

repository=$(realpath "$1")
(self_test)
cd "$repository"
sins=$(check_tree)
if [[ -n $sins ]]; then
  echo "$sins"
  exit 1
fi

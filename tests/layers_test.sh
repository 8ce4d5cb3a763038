#!/bin/bash
# Holds every #include to the order of the house (DESIGN.md, section 3):
#   - a room includes itself and rooms earlier in the order; those on one line never include each
#     other; plumb/ may include all rooms, tests/ all and plumb/;
#   - inside a room the same: a part of it (a folder of PARTS) includes itself, the room's root, and
#     the parts that parts_below names; a part of no table, and the tests, any;
#   - state/api/ is for itself, plumb/ and tests/;
#   - outside edge/, plumb/ (but for plumb/reports/) and tests/ no edge header, no header of threads, clocks, randomness,
#     unordered containers or the system, and no third-party header;
#   - testing/ headers are for tests and testing/ only;
#   - a .cc that has a header of its own includes it first, which proves by the build that the
#     header compiles alone (headers_test.sh compiles the others).
# Usage: layers_test.sh REPOSITORY. First it checks itself on a tree with one sin of each kind.
set -euo pipefail

# Exceptions: regex of the file | regex of the include | reason
EXCEPTIONS=(
  '^manifests/(yaml/)?[^/]*\.cc$|^<yaml-cpp/|the YAML event parser is a pure function of its text'
  '^manifests/syntax\.cc$|^<arpa/inet\.h>|inet_pton is a pure function of its text'
  '^manifests/|^"embedded_types\.inc"$|generated from manifests/types'
  '^base/net/hmac\.cc$|^<openssl/|an HMAC is a pure function of its text'
  '^base/document\.cc$|^<atomic>|counts the references of what workers share'
  '^state/persistent_set\.h$|^<atomic>|counts the references of what workers share'
  '/edge/|^"[a-z_]+(\.grpc)?\.pb\.h"$|generated from the .proto files of the edge'
  '^tests/upgrade/|^"[a-z_]+(\.grpc)?\.pb\.h"$|it replays what was sent, byte by byte'
)

# The standard headers that pure code may use.
PURE_HEADERS='algorithm array bit bitset cassert cctype cerrno charconv cinttypes climits cmath
 compare concepts cstdarg cstddef cstdint cstdio cstdlib cstring deque exception functional
 initializer_list iomanip ios iosfwd istream iterator limits list map memory new numbers numeric
 optional ostream queue regex set span sstream stack stdexcept streambuf string string_view tuple
 type_traits typeindex typeinfo utility variant vector version'
PURE_HEADERS=${PURE_HEADERS//$'\n'/}
# What a test of pure code may use beyond them: to read examples and to report.
TEST_HEADERS='filesystem fstream iostream'
# Calls that read the world without any header of their own giving them away.
IMPURE_CALLS='\b(getenv|setenv|srand|rand|usleep|nanosleep|clock_gettime|gettimeofday|getpid) *\('

ALL_ROOMS='base manifests state gitsync reconciler scheduler nodeagent servicemesh plumb tests'

# The rooms that a room may include.
rooms_below() {
  case $1 in
    base) echo ' base ' ;;
    manifests) echo ' base manifests ' ;;
    state) echo ' base manifests state ' ;;
    plumb) echo " ${ALL_ROOMS% tests} " ;;
    tests) echo " $ALL_ROOMS " ;;
    *) echo " base manifests state $1 " ;;
  esac
}

# The parts of rooms that have an order of their own; what lies in no part of them is the room's root.
PARTS='base/net manifests/kinds state/api state/errands
 gitsync/source gitsync/render gitsync/plan gitsync/deploy gitsync/report
 nodeagent/volumes nodeagent/pods nodeagent/session nodeagent/hub
 servicemesh/rules servicemesh/dns servicemesh/network
 plumb/reports plumb/server plumb/node plumb/commands plumb/dev'

# The part of its room that a path lies in: "gitsync/plan", or "gitsync".
part_of() {
  local part
  for part in $PARTS; do
    [[ $1 == "$part"/* ]] && { echo "$part"; return; }
  done
  echo "${1%%/*}"
}

# The parts of its own room that a part may include.
parts_below() {
  case $1 in
    base | manifests | state | nodeagent | servicemesh) echo " $1 " ;;
    base/net | manifests/kinds | state/api | state/errands) echo " ${1%%/*} $1 " ;;
    gitsync/source) echo ' gitsync gitsync/source ' ;;
    gitsync/render) echo ' gitsync gitsync/source gitsync/render ' ;;
    gitsync/plan) echo ' gitsync gitsync/source gitsync/render gitsync/plan ' ;;
    nodeagent/volumes) echo ' nodeagent nodeagent/volumes ' ;;
    nodeagent/pods) echo ' nodeagent nodeagent/volumes nodeagent/pods ' ;;
    nodeagent/session) echo ' nodeagent nodeagent/volumes nodeagent/pods nodeagent/session ' ;;
    servicemesh/*) echo " servicemesh $1 " ;;
    plumb/reports) echo ' plumb/reports ' ;;
    *) echo " ${1%%/*} $PARTS " ;;
  esac
}

is_excepted() {  # FILE INCLUDE
  local entry file_regex include_regex
  for entry in "${EXCEPTIONS[@]}"; do
    IFS='|' read -r file_regex include_regex _ <<<"$entry"
    [[ $1 =~ $file_regex && $2 =~ $include_regex ]] && return 0
  done
  return 1
}

is_behind_a_wall() {  # FILE TARGET: of one room, and the file's part may not include the target's
  local below
  [[ ${1%%/*} == "${2%%/*}" ]] || return 1
  # Whoever brings parts together, or tries them out, includes them all. The edges of a room that is
  # below all others are held like the rest of it.
  [[ $1 =~ _test\.cc$|/testing/|^(gitsync|nodeagent|servicemesh|plumb)/edge/ ]] && return 1
  below=" $(parts_below "$(part_of "$1")") "
  [[ ${below//$'\n'/ } != *" $(part_of "$2") "* ]]
}

check_include() {  # FILE LINE INCLUDE: prints what is wrong with it
  local file=$1 where="$1:$2" include=$3 room=${1%%/*} target name
  local test_file=no pure=yes
  [[ $file =~ _test\.cc$|/testing/|/fixtures/|^tests/ ]] && test_file=yes
  [[ $file =~ /edge/|_main\.cc$|_root_test\.cc$|^plumb/|^tests/ ]] && pure=no
  [[ $file == plumb/reports/* ]] && pure=yes
  is_excepted "$file" "$include" && return 0

  if [[ $include == '"'* ]]; then
    target=${include//\"/}
    if [[ " $ALL_ROOMS " != *" ${target%%/*} "* ]]; then
      echo "$where: \"$target\" does not start with a room's name"
    elif [[ "$(rooms_below "$room")" != *" ${target%%/*} "* ]]; then
      echo "$where: $room/ may not include ${target%%/*}/"
    elif [[ $target == state/api/* && ! $file =~ ^(state/api|plumb|tests)/ ]]; then
      echo "$where: only plumb/ and tests/ include state/api/"
    elif is_behind_a_wall "$file" "$target"; then
      echo "$where: $(part_of "$file")/ may not include $(part_of "$target")/"
    elif [[ $pure == yes && $target == */edge/* ]]; then
      echo "$where: only edges, plumb/ and tests/ include an edge header, here $target"
    elif [[ $test_file == no && $target == */testing/* ]]; then
      echo "$where: only tests and testing/ include a testing/ header, here $target"
    fi
    return 0
  fi
  [[ $pure == yes ]] || return 0
  name=${include//[<>]/}
  [[ " $PURE_HEADERS " == *" $name "* ]] && return 0
  [[ $test_file == yes && ( " $TEST_HEADERS " == *" $name "* || $name == g@(test|mock)/* ) ]] &&
    return 0
  echo "$where: <$name> belongs in edge/ (or, if it is pure, in the lists of tests/layers_test.sh)"
}

check_tree() {  # prints every sin of the tree in the current directory
  local rooms=() room previous='' file line include own
  for room in $ALL_ROOMS; do [[ -d $room ]] && rooms+=("$room"); done
  while IFS=: read -r file line include; do
    check_include "$file" "$line" "$include"
    own=${file%.cc}.h
    if [[ $file != "$previous" && $file == *.cc && -f $own && $include != "\"$own\"" ]]; then
      echo "$file:$line: the first include must be \"$own\""
    fi
    previous=$file
  done < <(grep -rnE '^ *# *include' --include='*.h' --include='*.cc' "${rooms[@]}" |
    sed -E 's/^([^:]*:[0-9]+:) *# *include *(<[^>]*>|"[^"]*").*/\1\2/' | sort -t: -k1,1 -k2,2n)
  for room in "${rooms[@]}"; do
    [[ $room == tests ]] && continue
    [[ $room == plumb ]] && room=plumb/reports
    [[ -d $room ]] || continue
    # Comments may speak of such calls, and members may bear such names.
    grep -rnE "$IMPURE_CALLS" --include='*.h' --include='*.cc' "$room" |
      grep -vE '^[^:]*(/edge/|_main\.cc:|_root_test\.cc:)|^[^:]*:[0-9]+: *//' |
      sed -E 's/^([^:]*:[0-9]+):.*/\1: a call that reads the world belongs in edge\//' || true
  done
}

self_test() {
  local tree expected
  tree=$(mktemp -d)
  trap 'rm -rf "$tree"' RETURN
  mkdir -p "$tree"/{base,manifests,manifests/yaml,state,scheduler,plumb,tests}/{edge,testing}
  cd "$tree"
  touch base/a.h
  # What is allowed.
  printf '#include <map>\n#include "base/a.h"\n' >state/good.h
  printf '#include <thread>\n#include <grpcpp/grpcpp.h>\n#include "base/edge/a.h"\n' >state/edge/good.cc
  printf '#include <yaml-cpp/parser.h>\n' >manifests/yaml/yaml.cc
  printf '#include <gtest/gtest.h>\n#include "state/testing/fake.h"\n' >scheduler/good_test.cc
  printf '#include "state/edge/a.h"\n#include "scheduler/a.h"\n' >plumb/main.cc
  printf '#include "plumb/a.h"\n' >tests/good_test.cc
  printf '// getenv() is for edges\nint x;\n' >base/comment.cc
  mkdir -p base/net manifests/kinds state/{api,errands} gitsync/{source,render,plan,deploy,report,edge} \
    nodeagent/{volumes,pods,session,hub} servicemesh/{rules,dns,network} plumb/{reports,server,edge}
  printf '#include "base/a.h"\n#include "base/net/a.h"\n' >base/net/good.cc
  printf '#include "manifests/schema.h"\n' >manifests/kinds/good.cc
  printf '#include "state/view.h"\n#include "manifests/kinds/pod.h"\n' >state/api/good.cc
  printf '#include "gitsync/source/a.h"\n#include "gitsync/report/a.h"\n' >gitsync/deploy/good.cc
  printf '#include "state/store.h"\n' >state/errands/good.cc
  printf '#include "state/errands/a.h"\n' >gitsync/report/good.cc
  printf '#include "gitsync/deploy/a.h"\n' >gitsync/edge/good.cc
  printf '#include "gitsync/deploy/a.h"\n' >gitsync/plan/good_test.cc
  printf '#include "nodeagent/session/a.h"\n#include "nodeagent/context.h"\n' >nodeagent/hub/good.cc
  printf '#include "servicemesh/services.h"\n' >servicemesh/dns/good.cc
  printf '#include "state/api/api.h"\n#include "plumb/reports/a.h"\n#include <thread>\n' >plumb/server/good.cc
  # One sin of each kind.
  printf '#include "state/a.h"\n' >base/upward.h
  printf '#include "gitsync/a.h"\n' >scheduler/sideways.h
  printf '#include "base/edge/a.h"\n' >state/edge_include.h
  printf '#include <unordered_map>\n' >base/unordered.h
  printf '#include <yaml-cpp/yaml.h>\n' >manifests/public.h
  printf '#include "base/testing/a.h"\n' >state/edge/fake.cc
  printf '#include "tests/a.h"\n' >plumb/tests.cc
  printf '#include "a.h"\n' >state/short.h
  printf '#include <map>\n#include "base/a.h"\n' >base/a.cc
  printf 'int x = getenv("HOME") != 0;\n' >state/world.cc
  printf '#include "base/net/a.h"\n' >base/inward.cc
  printf '#include "manifests/kinds/pod.h"\n' >manifests/inward.cc
  printf '#include "state/api/api.h"\n' >state/inward.cc
  printf '#include "state/errands/a.h"\n' >state/api/beside.cc
  printf '#include "gitsync/report/a.h"\n' >state/errands/up.cc
  printf '#include "state/api/api.h"\n' >scheduler/door_test.cc
  printf '#include "gitsync/render/a.h"\n' >gitsync/source/up.cc
  printf '#include "gitsync/plan/a.h"\n' >gitsync/render/up.cc
  printf '#include "gitsync/report/a.h"\n' >gitsync/plan/up.cc
  printf '#include "nodeagent/pods/a.h"\n' >nodeagent/root.cc
  printf '#include "nodeagent/hub/a.h"\n' >nodeagent/pods/up.cc
  printf '#include "servicemesh/rules/a.h"\n' >servicemesh/dns/beside.cc
  printf '#include "plumb/server/a.h"\n' >plumb/reports/beside.cc
  printf '#include <thread>\n' >plumb/reports/impure.cc
  printf 'int x = getpid();\n' >plumb/reports/world.cc
  expected='base/a.cc:1: the first include must be "base/a.h"
base/inward.cc:1: base/ may not include base/net/
base/unordered.h:1: <unordered_map> belongs in edge/ (or, if it is pure, in the lists of tests/layers_test.sh)
base/upward.h:1: base/ may not include state/
gitsync/plan/up.cc:1: gitsync/plan/ may not include gitsync/report/
gitsync/render/up.cc:1: gitsync/render/ may not include gitsync/plan/
gitsync/source/up.cc:1: gitsync/source/ may not include gitsync/render/
manifests/inward.cc:1: manifests/ may not include manifests/kinds/
manifests/public.h:1: <yaml-cpp/yaml.h> belongs in edge/ (or, if it is pure, in the lists of tests/layers_test.sh)
nodeagent/pods/up.cc:1: nodeagent/pods/ may not include nodeagent/hub/
nodeagent/root.cc:1: nodeagent/ may not include nodeagent/pods/
plumb/reports/beside.cc:1: plumb/reports/ may not include plumb/server/
plumb/reports/impure.cc:1: <thread> belongs in edge/ (or, if it is pure, in the lists of tests/layers_test.sh)
plumb/reports/world.cc:1: a call that reads the world belongs in edge/
plumb/tests.cc:1: plumb/ may not include tests/
scheduler/door_test.cc:1: only plumb/ and tests/ include state/api/
scheduler/sideways.h:1: scheduler/ may not include gitsync/
servicemesh/dns/beside.cc:1: servicemesh/dns/ may not include servicemesh/rules/
state/api/beside.cc:1: state/api/ may not include state/errands/
state/edge/fake.cc:1: only tests and testing/ include a testing/ header, here base/testing/a.h
state/edge_include.h:1: only edges, plumb/ and tests/ include an edge header, here base/edge/a.h
state/errands/up.cc:1: state/ may not include gitsync/
state/inward.cc:1: only plumb/ and tests/ include state/api/
state/short.h:1: "a.h" does not start with a room'\''s name
state/world.cc:1: a call that reads the world belongs in edge/'
  diff <(echo "$expected") <(check_tree | sort) || {
    echo 'layers_test.sh does not see what it should (expected < > seen)'
    exit 1
  }
}

repository=$(realpath "$1")
self_test
cd "$repository"
sins=$(check_tree)
if [[ -n $sins ]]; then
  echo "$sins"
  exit 1
fi

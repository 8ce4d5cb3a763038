#!/bin/bash
# Holds every #include to the order of the house (DESIGN.md, section 3):
#   - a room includes itself and rooms earlier in the order; those on one line never include each
#     other; plumb/ may include all rooms, tests/ all and plumb/;
#   - outside edge/, plumb/ and tests/ no edge header, no header of threads, clocks, randomness,
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

is_excepted() {  # FILE INCLUDE
  local entry file_regex include_regex
  for entry in "${EXCEPTIONS[@]}"; do
    IFS='|' read -r file_regex include_regex _ <<<"$entry"
    [[ $1 =~ $file_regex && $2 =~ $include_regex ]] && return 0
  done
  return 1
}

check_include() {  # FILE LINE INCLUDE: prints what is wrong with it
  local file=$1 where="$1:$2" include=$3 room=${1%%/*} target name
  local test_file=no pure=yes
  [[ $file =~ _test\.cc$|/testing/|/fixtures/|^tests/ ]] && test_file=yes
  [[ $file =~ /edge/|_main\.cc$|_root_test\.cc$|^plumb/|^tests/ ]] && pure=no
  is_excepted "$file" "$include" && return 0

  if [[ $include == '"'* ]]; then
    target=${include//\"/}
    if [[ " $ALL_ROOMS " != *" ${target%%/*} "* ]]; then
      echo "$where: \"$target\" does not start with a room's name"
    elif [[ "$(rooms_below "$room")" != *" ${target%%/*} "* ]]; then
      echo "$where: $room/ may not include ${target%%/*}/"
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
    [[ $room == plumb || $room == tests ]] && continue
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
  expected='base/a.cc:1: the first include must be "base/a.h"
base/unordered.h:1: <unordered_map> belongs in edge/ (or, if it is pure, in the lists of tests/layers_test.sh)
base/upward.h:1: base/ may not include state/
manifests/public.h:1: <yaml-cpp/yaml.h> belongs in edge/ (or, if it is pure, in the lists of tests/layers_test.sh)
plumb/tests.cc:1: plumb/ may not include tests/
scheduler/sideways.h:1: scheduler/ may not include gitsync/
state/edge/fake.cc:1: only tests and testing/ include a testing/ header, here base/testing/a.h
state/edge_include.h:1: only edges, plumb/ and tests/ include an edge header, here base/edge/a.h
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

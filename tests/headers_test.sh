#!/bin/bash
# Every header compiles alone. A header whose .cc includes it first (layers_test.sh holds them to
# that) is proven by the build of ci/check, file by file; the others are compiled here, two at a time.
# Usage: headers_test.sh REPOSITORY BUILD COMPILER [FLAG...]
set -euo pipefail

# Each costs seconds, and whatever includes it is a .cc of the same edge.
SKIPPED='<grpc(pp)?/|\.pb\.h"'

cd "$1"
build=$2 compiler=$3
shift 3
flags=(-std=c++20 -Wall -Wextra -Wshadow -Werror -fsyntax-only -I. "$@")
for room in */CMakeLists.txt; do
  flags+=("-I$build/${room%/*}")
done

headers=()
for header in $(find */ -name '*.h' -not -path './build*' -not -path 'build*' | sort); do
  own=${header%.h}.cc
  if [[ -f $own ]] && grep -m1 -E '^ *# *include' "$own" | grep -qF "\"$header\""; then continue; fi
  grep -qE "$SKIPPED" "$header" && continue
  headers+=("$header")
done

# A file of its own includes the header: compiled as the main file, #pragma once would be warned of.
compile() {
  local header=$1
  shift
  echo "#include \"$header\"" | "$@" -x c++ - || {
    echo "$header does not compile alone"
    return 1
  }
}
export -f compile
printf '%s\0' "${headers[@]}" |
  xargs -0 -P2 -I{} bash -c 'compile "$@"' compile {} "$compiler" "${flags[@]}"
echo "${#headers[@]} headers compiled alone; the others are the first include of their .cc"

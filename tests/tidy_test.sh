#!/bin/bash
# Holds the sources to what a formatter does not see (DESIGN.md, STYLE.md):
#   - no file is longer than kMaxFile lines, no function of the product longer than kMaxFunction;
#   - no line is wider than 100 columns, unless a string or an address in it is long, or it is a test's
#     text;
#   - nothing is left for later in a comment, and no banner stands in one;
#   - a room's README has at most kMaxReadme lines and names every file of the room, unless a README
#     in a folder of the room does;
#   - a test that docs/security.md names is there.
# Usage: tidy_test.sh REPOSITORY. First it checks itself on a tree with one sin of each kind.
set -euo pipefail

kMaxFile=700
kMaxFunction=75
kMaxReadme=40
kMaxColumns=100

ROOMS='base manifests state gitsync reconciler scheduler nodeagent servicemesh plumb'

sources() { find . -path './build*' -prune -o \( -name '*.h' -o -name '*.cc' \) -print | sed 's|^\./||' | sort; }

check_lines() {  # each source's own text
  local file
  sources | while read -r file; do
    awk -v file="$file" -v max_file=$kMaxFile -v max_function=$kMaxFunction -v columns=$kMaxColumns '
      {
        # Columns, not bytes: continuation bytes of UTF-8 take none.
        text = $0
        gsub(/[\200-\277]/, "", text)
        if (length(text) > columns && file !~ /_test\.cc$/ && text !~ /https?:\/\/|"/)
          print file ":" NR ": wider than " columns " columns"
      }
      /\/\/.*(TODO|FIXME|XXX)/ { print file ":" NR ": what is left to do belongs in an issue" }
      /^ *\/\/ *(---|===|\*\*\*|###)/ { print file ":" NR ": a banner; let the file have one subject instead" }
      # A function begins at the left margin and ends with a brace there.
      /^[A-Za-z~].*\)[^;]*\{$/ && !/^(namespace|class|struct|enum|union|extern)/ { start = NR }
      /^}/ {
        if (start && file !~ /_test\.cc$/ && file !~ /(^|\/)(testing|tests|bench)\// &&
            NR - start + 1 > max_function)
          print file ":" start ": a function of " NR - start + 1 " lines; at most " max_function
        start = 0
      }
      END { if (NR > max_file) print file ": " NR " lines; at most " max_file }
    ' "$file"
  done
}

check_readmes() {
  local room file stem folder readme
  for room in $ROOMS; do
    [[ -d $room ]] || continue
    readme=$room/README.md
    if [[ ! -f $readme ]]; then
      echo "$readme: missing"
      continue
    fi
    (($(wc -l <"$readme") <= kMaxReadme)) || echo "$readme: more than $kMaxReadme lines"
    sources | grep "^$room/" | grep -vE '_test\.(cc|h)$|_main\.cc$' |
      sed -E 's/\.(h|cc)$//' | sort -u | while read -r file; do
      stem=${file##*/}
      folder=${file%/*}
      while :; do
        if [[ -f $folder/README.md ]] && grep -qwF "$stem" "$folder/README.md"; then break; fi
        if [[ $folder == "$room" ]]; then
          echo "$readme: does not name $file"
          break
        fi
        folder=${folder%/*}
      done
    done
  done
}

# Tests that a guide names, `Suite.Case` or `Suite.*`, are there.
check_named_tests() {
  local guide name all
  all=$(grep -rhoE '^TEST(_F|_P)?\([A-Za-z]+, [A-Za-z0-9]+\)' --include='*_test.cc' --include='*_contract.cc' \
    --include='*_contract.h' --exclude-dir='build*' . | sed -E 's/.*\((.*), (.*)\)/\1.\2/')
  for guide in docs/security.md; do
    [[ -e $guide ]] || continue
    for name in $(grep -oE '`[A-Z][A-Za-z]+\.([A-Z][A-Za-z0-9]*|\*)`' $guide | tr -d '`'); do
      [[ $name == *'*' ]] && name="^${name%\*}" || name="^$name\$"
      grep -q "$name" <<<"$all" || echo "$guide: there is no test ${name//[\^$]/}"
    done
  done
}

check_tree() {
  check_lines
  check_readmes
  check_named_tests
}

self_test() {
  local tree expected
  tree=$(mktemp -d)
  trap 'rm -rf "$tree"' RETURN
  cd "$tree"
  mkdir -p base/inner
  printf 'inner\n' >base/inner/README.md
  printf '// good: äöü\nint Short(int a) {\n  return a;\n}\n' >base/good.cc
  printf 'int x;\n' >base/inner/inner.h
  printf 'good sins long wide\n' >base/README.md
  # One sin of each kind.
  printf '// TODO: more\n// -----\n' >base/sins.cc
  printf '// %0100d\n' 1 >base/wide.h
  { echo 'int Long(int a) {'; (yes '  a += 1;' || true) | head -n $kMaxFunction; echo '}'; } >base/long.cc
  yes 'int x;' | head -n $((kMaxFile + 1)) >base/unnamed.h || true
  mkdir docs
  printf 'TEST(SinTest, Is) {}\n' >base/sin_test.cc
  printf '`SinTest.Is` `SinTest.*` `SinTest.I` `SinTest.IsNot`\n' >docs/security.md
  expected='base/README.md: does not name base/unnamed
base/long.cc:1: a function of 77 lines; at most 75
base/sins.cc:1: what is left to do belongs in an issue
base/sins.cc:2: a banner; let the file have one subject instead
base/unnamed.h: 701 lines; at most 700
base/wide.h:1: wider than 100 columns
docs/security.md: there is no test SinTest.I
docs/security.md: there is no test SinTest.IsNot'
  diff <(echo "$expected") <(check_tree | grep -v '^[a-z]*/README.md: missing' | sort) || {
    echo 'tidy_test.sh does not see what it should (expected < > seen)'
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

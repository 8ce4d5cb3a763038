#!/bin/bash
# Every source is as clang-format has it. Mend with: git ls-files '*.h' '*.cc' | xargs clang-format -i
# Usage: format_test.sh REPOSITORY
set -euo pipefail
cd "$1"
files=$(git ls-files --cached --others --exclude-standard '*.h' '*.cc')
xargs -P2 -n 100 clang-format --dry-run --Werror --ferror-limit=3 <<<"$files"
echo "$(wc -l <<<"$files") files are formatted"

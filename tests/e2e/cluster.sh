# Sourced by the tests that need a cluster of their own: . cluster.sh NAME PLUMB-BINARY
# Sets PLUMB, WORK (a directory that goes at the end), CLUSTER (for `plumb dev --dir`, taken down at
# the end, its logs shown after a failure) and KUBECONFIG. Functions: fail, until_ok.
TEST_NAME=$1
PLUMB=$2
WORK=$(mktemp -d "/tmp/plumb-$TEST_NAME.XXXXXX")
CLUSTER=$WORK/cluster
export KUBECONFIG=$CLUSTER/kubeconfig
finish() {
  local code=$?
  ((code == 0)) || tail -n 20 "$CLUSTER"/logs/*.log 2>/dev/null | cut -c1-300 || true
  "$PLUMB" dev down --dir "$CLUSTER" >/dev/null 2>&1 || true
  rm -rf "$WORK"
}
trap finish EXIT

fail() { echo "$TEST_NAME: $*" >&2; exit 1; }
until_ok() {  # SECONDS COMMAND...
  local end=$((SECONDS + $1)); shift
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < end)) || { "$@" || true; fail "not so after the time given: $*"; }
    sleep 0.2
  done
}

#!/bin/bash
# kubectl exec and logs against a real node: what goes in and comes out, how commands end, who may.
#   exec_test.sh PLUMB-BINARY
# Needs root, and kubectl in PATH.
set -euo pipefail
. "$(dirname "$0")/cluster.sh" exec "$1"

same() {  # WHAT WANTED SEEN
  [[ $2 == "$3" ]] || fail "$1: wanted \"$2\", saw \"$3\""
  echo "exec: $1"
}
running() { [[ $(kubectl get pod tools -o jsonpath='{.status.phase}') == Running ]]; }
code() { "$@" >/dev/null 2>&1 && echo 0 || echo $?; }

"$PLUMB" dev up --nodes 1 --dir "$CLUSTER" >/dev/null
kubectl apply -f - >/dev/null <<'YAML'
apiVersion: v1
kind: Pod
metadata: {name: tools, namespace: default}
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - {name: first, image: "registry:5000/tools:1", command: [sh, -c, "echo up; exec sleep 1000"]}
    - {name: second, image: "registry:5000/tools:1", command: [sleep, "1000"], env: [{name: WHO, value: second}]}
YAML
until_ok 120 running

# The API by its Service, from the pod's network and the node's, its certificate looked at.
API=$(kubectl get service kubernetes -o jsonpath='{.spec.clusterIP}')
same 'where a pod finds the API' "$API:443" "$(kubectl exec tools -c first -- sh -c 'echo $KUBERNETES_SERVICE_HOST:$KUBERNETES_SERVICE_PORT')"
same 'the name of the API' "$API" "$(kubectl exec tools -c first -- hello dns kubernetes.default.svc.cluster.local)"
CONTAINER=$(kubectl get pod tools -o jsonpath='{.status.containerStatuses[0].containerID}')
PID=$("$PLUMB" dev exec --dir "$CLUSTER" node1 -- ctr -n k8s.io task ls | awk -v id="${CONTAINER##*/}" '$1 == id {print $2}')
ask=(curl -sS --max-time 20 --noproxy '*' --cacert "$CLUSTER/server/pki/ca.crt" -o /dev/null -w '%{http_code}' "https://$API/version")
same 'a pod reaches the API' 200 "$(nsenter --net="/proc/$PID/ns/net" "${ask[@]}")"
same 'a node reaches the API' 200 "$("$PLUMB" dev exec --dir "$CLUSTER" node1 -- "${ask[@]}")"
same 'output' 'hello there' "$(kubectl exec tools -c first -- echo hello there)"
same 'the container that is named' second "$(kubectl exec tools -c second -- sh -c 'echo $WHO')"
same 'the exit code' 3 "$(code kubectl exec tools -c first -- sh -c 'exit 3')"
kubectl exec tools -c first -- sh -c 'echo out; echo err >&2' >"$WORK/out" 2>"$WORK/err"
same 'standard output' out "$(<"$WORK/out")"
same 'standard error, apart' err "$(<"$WORK/err")"
same 'standard input, to its end' 'what goes in' "$(echo 'what goes in' | kubectl exec -i tools -c first -- cat)"
head -c 20000000 /dev/urandom >"$WORK/random"
same '20 MB, both ways' "$(sha256sum <"$WORK/random")" \
  "$(kubectl exec -i tools -c first -- cat <"$WORK/random" | sha256sum)"
same 'long output' 300000 "$(kubectl exec tools -c first -- sh -c 'i=0; while [ $i -lt 300 ]; do head -c 1000 /dev/zero; i=$((i+1)); done' | wc -c | tr -d ' ')"
missing=$(kubectl exec tools -c first -- no-such-program 2>&1) && fail 'a command that does not exist succeeded'
[[ $missing == *no-such-program*not\ found* ]] || fail "a command that does not exist: $missing"
echo "exec: a command that does not exist: ${missing:0:200}"
nobody=$(kubectl exec tools -c nobody -- true 2>&1) && fail 'a container that does not exist was entered'
[[ $nobody == *'container nobody'* ]] || fail "a container that does not exist: $nobody"
# script gives kubectl a terminal of a size of its own.
size='until size=$(stty size 2>/dev/null) && [ "${size:-0 0}" != "0 0" ]; do sleep 0.1; done; echo "$size"; tty'
tty=$(script -qec "stty rows 33 cols 77; kubectl exec -it tools -c first -- sh -c '$size'" /dev/null </dev/null | tr -d '\r')
[[ $tty == *'33 77'* && $tty == */dev/pts/* ]] || fail "a terminal: $tty"
echo 'exec: a terminal, and its size'
# One that is left behind by its client goes on as Kubernetes' do; the node forgets the stream.
timeout 2 kubectl exec -i tools -c first -- sleep 100 </dev/zero >/dev/null 2>&1 || true
same 'after a client that vanished' fine "$(kubectl exec tools -c first -- echo fine)"

VIEWER=$("$PLUMB" token create eve --role viewer)
seen=$(kubectl --token "$VIEWER" --kubeconfig <(kubectl config view --raw | sed '/client-/d') exec tools -c first -- true 2>&1) &&
  fail 'a viewer ran a command'
[[ $seen == *'cannot create resource "pods/exec"'* ]] || fail "a viewer: $seen"
echo 'exec: a viewer may not'
same 'logs' up "$(kubectl logs tools -c first)"
# A container that says nothing: only the client's going tells that nobody follows any more.
AGENT=$(sed -E 's/.*"pid":([0-9]+).*/\1/' "$CLUSTER/run/node1.pid")
followed() { ls -l "/proc/$AGENT/fd" | grep -q '/default_tools_.*/second/0.log'; }
abandoned() { ! followed; }
kubectl logs -f tools -c second >/dev/null &
FOLLOWER=$!
until_ok 20 followed
kill "$FOLLOWER"
until_ok 20 abandoned
echo 'exec: who follows a quiet log and leaves is noticed'
(kubectl logs -f tools -c first >"$WORK/followed") &
FOLLOWER=$!
until_ok 20 test -s "$WORK/followed"
kubectl delete pod tools --wait=false >/dev/null
wait "$FOLLOWER" || true
same 'a followed log, to its end' up "$(<"$WORK/followed")"
echo 'exec: OK'

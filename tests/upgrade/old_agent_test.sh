#!/bin/bash
# Agents of an earlier release keep their sessions, and their containers, with today's server:
#   old_agent_test.sh PLUMB OLD-PLUMB
# Two nodes run by OLD-PLUMB, with real containers; then the server is PLUMB's, and the agents stay.
# A program of an earlier release is not in the repository: without OLD-PLUMB the test is skipped
# (exit 77); wire_test.cc says the same things to the server from a recording. Needs root, and
# kubectl and jq in PATH.
set -euo pipefail
OLD=${2:-${PLUMB_OLD_BINARY:-}}
[[ -n $OLD ]] || { echo 'old_agent: skipped; name the program of an earlier release in PLUMB_OLD_BINARY'; exit 77; }
. "$(dirname "$0")/../e2e/cluster.sh" old_agent "$1"

is_ready() {  # REPLICAS
  [[ $(kubectl get nodes --no-headers | grep -cw Ready) == 2 &&
    $(kubectl get deploy web -o jsonpath='{.status.readyReplicas}/{.status.updatedReplicas}') == "$1/$1" ]]
}
program() { readlink "/proc/$(jq .pid "$CLUSTER/run/$1.pid")/exe"; }
# How often the agents have connected; came_back: once more since.
connections() { grep -c 'msg="connected to the control plane"' "$CLUSTER/logs/$1.log"; }
count_connections() { SEEN_node1=$(connections node1) SEEN_node2=$(connections node2); }
came_back() { local seen=SEEN_$1; (($(connections "$1") > ${!seen})); }
# Pods by uid, their containers by id and how often they were started.
pods() {
  kubectl get pods -l app=web --sort-by=.metadata.name -o jsonpath='{range .items[*]}{.metadata.name} {.metadata.uid} {.status.containerStatuses[0].containerID} {.status.containerStatuses[0].restartCount}{"\n"}{end}'
}

"$OLD" dev up --nodes 2 --dir "$CLUSTER" >/dev/null
kubectl apply -f - >/dev/null <<'YAML'
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: default}
spec:
  replicas: 4
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: web
          image: registry:5000/hello:1
          env: [{name: PORT, value: "8080"}]
          readinessProbe: {httpGet: {path: /healthz, port: 8080}, periodSeconds: 1}
YAML
until_ok 120 is_ready 4
BEFORE=$(pods)

count_connections
"$OLD" dev kill --dir "$CLUSTER" server >/dev/null
"$PLUMB" dev up --nodes 2 --dir "$CLUSTER" >/dev/null
[[ $(program server) == $(realpath "$PLUMB") ]] || fail "the server is $(program server)"
for node in node1 node2; do
  [[ $(program $node) == $(realpath "$OLD") ]] || fail "the agent of $node is $(program $node)"
done
until_ok 60 came_back node1
until_ok 60 came_back node2
until_ok 60 is_ready 4
[[ $(pods) == "$BEFORE" ]] || fail "pods are not as they were: $BEFORE became $(pods)"
echo 'old_agent: with the new server every pod and every container is as before'

# The session works both ways: statuses, new pods, pods that go, logs and the failure of one.
kubectl set image deploy/web web=registry:5000/hello:2 >/dev/null
kubectl scale deploy/web --replicas=3 >/dev/null
gone() { [[ $(kubectl get pods -l app=web --no-headers | wc -l) == 3 ]]; }
until_ok 120 gone
until_ok 60 is_ready 3
kubectl run talks --image=registry:5000/tools:1 --restart=Never --command -- echo spoken >/dev/null
spoken() { [[ $(kubectl logs talks) == spoken ]]; }
until_ok 60 spoken
WHY=$(kubectl logs talks --previous 2>&1) && fail 'there is a previous log'
[[ $WHY == *'no previous log'* && $WHY == *NotFound* ]] || fail "the failure of a log reads: $WHY"
echo 'old_agent: a rollout, a scale-down, logs and their failure go through old agents'

# The agents follow, one after the other: still no container restarts.
BEFORE=$(pods)
count_connections
for node in node1 node2; do
  kill -KILL "$(jq .pid "$CLUSTER/run/$node.pid")"
  "$PLUMB" dev up --nodes 2 --dir "$CLUSTER" >/dev/null
  [[ $(program $node) == $(realpath "$PLUMB") ]] || fail "the agent of $node is $(program $node)"
done
until_ok 60 came_back node1
until_ok 60 came_back node2
until_ok 60 is_ready 3
[[ $(pods) == "$BEFORE" ]] || fail "pods are not as they were: $BEFORE became $(pods)"
echo 'old_agent: agents of today took over every container as it was'

#!/bin/bash
# The agent, containerd and the server die (SIGKILL) in every order, one on top of the other: no
# container is lost, none restarts, no request to them fails, and the cluster is whole again.
#   restarts_test.sh PLUMB-BINARY
# Needs root, and kubectl in PATH.
set -euo pipefail
. "$(dirname "$0")/cluster.sh" restarts "$1"

all_ready() {
  [[ $(kubectl get nodes --no-headers | grep -cw Ready) == 2 &&
    $(kubectl get deploy web -o jsonpath='{.status.readyReplicas}') == 4 ]]
}
# Which containers run, and how often they were started: as the API says, and as containerd does.
containers() {
  kubectl get pods -l app=web --sort-by=.metadata.name -o jsonpath='{range .items[*]}{.metadata.name} {.status.containerStatuses[0].containerID} {.status.containerStatuses[0].restartCount}{"\n"}{end}'
  for node in node1 node2; do
    "$PLUMB" dev exec --dir "$CLUSTER" $node -- ctr -n k8s.io task ls | awk 'NR > 1 {print $1, $2, $3}' | sort
  done
}
strike() {
  local pid
  case $1 in
    agent) pid=$(sed 's/.*"pid":\([0-9]*\).*/\1/' "$CLUSTER/run/node1.pid") ;;
    server) pid=$(sed 's/.*"pid":\([0-9]*\).*/\1/' "$CLUSTER/run/server.pid") ;;
    containerd) pid=$(pgrep -f -- "--config $CLUSTER/nodes/node1/containerd/config.toml") ;;
  esac
  kill -KILL "$pid"
}

"$PLUMB" dev up --nodes 2 --dir "$CLUSTER" >/dev/null
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
      containers:
        - name: web
          image: registry:5000/hello:1
          env: [{name: PORT, value: "8080"}]
          readinessProbe: {httpGet: {path: /healthz, port: 8080}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: default}
spec:
  selector: {app: web}
  ports: [{port: 80, targetPort: 8080}]
YAML
until_ok 120 all_ready
ADDRESS=$(kubectl get service web -o jsonpath='{.spec.clusterIP}')
BEFORE=$(containers)

# By address: a node's DNS is its agent's, and pauses with it.
kubectl apply -f - >/dev/null <<YAML
apiVersion: v1
kind: Pod
metadata: {name: client, namespace: default}
spec:
  nodeName: node2
  restartPolicy: Never
  terminationGracePeriodSeconds: 30
  containers:
    - name: client
      image: registry:5000/tools:1
      command: [sh, -c, "until [ -e /tmp/stop ]; do hello get http://$ADDRESS/ --count 20 || exit 1; done"]
YAML
until_ok 60 bash -c '[[ $(kubectl get pod client -o jsonpath="{.status.phase}") == Running ]]'

for order in 'agent containerd server' 'agent server containerd' 'containerd agent server' \
  'containerd server agent' 'server agent containerd' 'server containerd agent'; do
  for part in $order; do strike "$part"; done
  "$PLUMB" dev up --nodes 2 --dir "$CLUSTER" >/dev/null
  until_ok 120 all_ready
  missing=$(comm -23 <(sort <<<"$BEFORE") <(containers | sort))
  [[ -z $missing ]] || fail "after $order these are no longer as they were: $missing"
  [[ $(kubectl get pod client -o jsonpath='{.status.phase}') == Running ]] ||
    fail "after $order a request had failed: $(kubectl logs client | tail -5)"
  echo "restarts: $order: every container as before, no request failed"
done

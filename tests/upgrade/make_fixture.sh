#!/bin/bash
# Writes the fixture of a release (README.md says what it holds):
#   make_fixture.sh PLUMB RECORD_FRAMES OUT.tar.gz
# PLUMB is the release's program, RECORD_FRAMES was built from its tree (target record_frames), or
# from one with the same agent.proto. Needs root, what `plumb dev` needs, kubectl and jq in PATH.
# All is made below /var/lib/plumb in a mount namespace of its own: no path or id of the machine
# gets into the fixture.
set -euo pipefail
PLUMB=$(realpath "$1") RECORD=$(realpath "$2") OUT=$(realpath -m "$3")
if [[ -z ${PLUMB_FIXTURE_NAMESPACE:-} ]]; then
  export PLUMB_FIXTURE_NAMESPACE=1
  exec unshare --uts --mount --propagation private bash "$0" "$PLUMB" "$RECORD" "$OUT"
fi

hostname node1
mkdir -p /var/lib/plumb
mount -t tmpfs tmpfs /var/lib/plumb
CLUSTER=/var/lib/plumb/cluster WORK=/var/lib/plumb/work FIXTURE=/var/lib/plumb/fixture
mkdir "$WORK" "$FIXTURE"
echo 0123456789abcdef0123456789abcdef >"$WORK/machine-id"
echo 01234567-89ab-cdef-0123-456789abcdef >"$WORK/uuid"
mount --bind "$WORK/machine-id" /etc/machine-id
mount --bind "$WORK/uuid" /proc/sys/kernel/random/boot_id
[[ ! -e /sys/class/dmi/id/product_uuid ]] || mount --bind "$WORK/uuid" /sys/class/dmi/id/product_uuid
export HOME=$WORK KUBECONFIG=$CLUSTER/kubeconfig
export GIT_AUTHOR_NAME=ann GIT_AUTHOR_EMAIL=ann@localhost
export GIT_COMMITTER_NAME=ann GIT_COMMITTER_EMAIL=ann@localhost

RECORDER=
finish() {
  local code=$?
  ((code == 0)) || tail -n 20 "$CLUSTER"/logs/*.log 2>/dev/null | cut -c1-300 || true
  [[ -z $RECORDER ]] || kill "$RECORDER" 2>/dev/null || true
  "$PLUMB" dev down --dir "$CLUSTER" >/dev/null 2>&1 || true
}
trap finish EXIT

fail() { echo "make_fixture: $*" >&2; exit 1; }
until_ok() {  # SECONDS COMMAND...
  local end=$((SECONDS + $1)); shift
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < end)) || { "$@" || true; fail "not so after the time given: $*"; }
    sleep 0.2
  done
}
kill_hard() { kill -KILL "$(jq .pid "$CLUSTER/run/$1.pid")"; }
up() { "$PLUMB" dev up --nodes 1 --dir "$CLUSTER" >/dev/null; }
ready() { [[ $(kubectl get node node1 -o jsonpath='{.status.conditions[?(@.type=="Ready")].status}') == True ]]; }
outcome() { "$PLUMB" wait "$2" --repo "$1" --timeout 60s || true; }
# deployment NAME NAMESPACE REPLICAS IMAGE [NAME=VALUE]: a Deployment, with a variable for its
# containers.
deployment() {
  local more=
  (($# < 5)) || more=", {name: ${5%%=*}, value: \"${5#*=}\"}"
  cat <<YAML
apiVersion: apps/v1
kind: Deployment
metadata:
  name: $1
  namespace: $2
  labels: {app: $1}
spec:
  replicas: $3
  revisionHistoryLimit: 3
  progressDeadlineSeconds: ${DEADLINE:-600}
  selector: {matchLabels: {app: $1}}
  template:
    metadata: {labels: {app: $1}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: main
          image: registry:5000/$4
          env: [{name: PORT, value: "8080"}$more]
          readinessProbe: {httpGet: {path: /healthz, port: 8080}, periodSeconds: 1}
          resources: {requests: {cpu: 10m, memory: 8Mi}, limits: {memory: 32Mi}}
YAML
}
commit() { git add -A && git commit -qm "$1" && git rev-parse HEAD; }
checkout() {  # REPOSITORY: makes it, and a clone to push from, which becomes the directory
  "$PLUMB" repo create "$1" >/dev/null
  git init -q -b main "$WORK/$1" && cd "$WORK/$1" && mkdir manifests
  git remote add plumb "${SERVER/:\/\//://dora:$DEPLOYER@}/git/$1.git"
  printf 'apiVersion: v1\nkind: Namespace\nmetadata: {name: %s}\n' "$1" >manifests/namespace.yaml
}

up
until_ok 60 ready
SERVER=$(kubectl config view --raw -o jsonpath='{.clusters[0].cluster.server}')
export GIT_SSL_CAINFO=$CLUSTER/server/pki/ca.crt
for token in ann=admin dora=deployer vic=viewer; do
  printf '%s %s %s\n' "${token%=*}" "${token#*=}" "$("$PLUMB" token create "${token%=*}" --role "${token#*=}")"
done >"$FIXTURE/tokens"
DEPLOYER=$(awk '$2 == "deployer" {print $3}' "$FIXTURE/tokens")

# shop: eight Deployments with nine pods, everything else that a repository usually holds, two
# versions, and a webhook that hears of its deploys.
checkout shop
cat >manifests/base.yaml <<'YAML'
apiVersion: v1
kind: ConfigMap
metadata: {name: greeting, namespace: shop}
data: {message: welcome}
---
apiVersion: v1
kind: Secret
metadata: {name: api-key, namespace: shop}
stringData: {key: only-for-the-fixture}
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: shop, namespace: shop}
spec: {hard: {pods: "20", requests.memory: 512Mi}}
---
apiVersion: v1
kind: LimitRange
metadata: {name: shop, namespace: shop}
spec: {limits: [{type: Container, defaultRequest: {cpu: 10m}}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: hooks, namespace: shop}
spec: {type: NodePort, selector: {app: hooks}, ports: [{port: 80, targetPort: 8080, nodePort: 30900}]}
YAML
deployment web shop 2 hello:1 >manifests/web.yaml
for n in 1 2 3 4; do deployment "worker-$n" shop 1 hello:1 >"manifests/worker-$n.yaml"; done
deployment spare-1 shop 0 hello:1 >manifests/spare-1.yaml
deployment spare-2 shop 0 hello:1 >manifests/spare-2.yaml
deployment hooks shop 1 tools:1 |
  sed 's|image: .*|&\n          command: [hello, receive]|; /readinessProbe/d' >manifests/hooks.yaml
FIRST=$(commit 'version 1') && git push -q plumb main
kubectl apply -f - >/dev/null <<YAML
apiVersion: v1
kind: Secret
metadata: {name: hooks, namespace: plumb-system}
stringData: {token: whsec_$(printf 'only-for-the-fixture-of-32-bytes' | base64)}
---
apiVersion: notification.toolkit.fluxcd.io/v1beta3
kind: Provider
metadata: {name: hooks, namespace: plumb-system}
spec: {type: standard-webhook, address: "http://10.77.0.11:30900/deploys", secretRef: {name: hooks}}
---
apiVersion: notification.toolkit.fluxcd.io/v1beta3
kind: Alert
metadata: {name: deploys, namespace: plumb-system}
spec: {providerRef: {name: hooks}, eventSources: [{kind: Kustomization, name: shop}]}
YAML
sed -i 's/hello:1/hello:2/' manifests/web.yaml
SECOND=$(commit 'version 2') && git push -q plumb main

# billing: 21 Deployments without pods, and a deploy that a newer one superseded.
checkout billing
for n in $(seq 21); do deployment "ledger-$n" billing 0 hello:1 >"manifests/ledger-$n.yaml"; done
BILLED=$(commit 'the ledgers') && git push -q plumb main
deployment slow billing 1 hello:1 READY_DELAY_MS=600000 >manifests/slow.yaml
SLOW=$(commit 'a slow start') && git push -q -o nowait plumb main
git rm -q manifests/slow.yaml
BILLING=$(commit 'without it') && git push -q plumb main

# reports: 21 more, and a deploy that failed.
checkout reports
for n in $(seq 21); do deployment "report-$n" reports 0 hello:1 >"manifests/report-$n.yaml"; done
REPORTED=$(commit 'the reports') && git push -q plumb main
DEADLINE=2 deployment broken reports 1 hello:1 READY_DELAY_MS=600000 >manifests/broken.yaml
BROKEN=$(commit 'never ready') && git push -q plumb main
git rm -q manifests/broken.yaml
REPORTS=$(commit 'without it') && git push -q plumb main

for deploy in shop:$FIRST:healthy shop:$SECOND:healthy billing:$BILLED:healthy \
  billing:$SLOW:superseded billing:$BILLING:healthy reports:$REPORTED:healthy \
  reports:$BROKEN:failed reports:$REPORTS:healthy; do
  IFS=: read -r repository revision wanted <<<"$deploy"
  [[ $(outcome "$repository" "$revision") == *"$wanted"* ]] ||
    fail "$deploy ended as: $(outcome "$repository" "$revision")"
  printf '%s %s %s\n' "$repository" "$revision" "$wanted"
done >"$FIXTURE/deploys"

# What people did by hand: a pod that runs, one that has ended, one that no node takes.
kubectl apply -f - >/dev/null <<'YAML'
apiVersion: v1
kind: Namespace
metadata: {name: people}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: notes, namespace: people}
data: {a: one}
---
apiVersion: v1
kind: Pod
metadata: {name: runs, namespace: people}
spec: {containers: [{name: main, image: "registry:5000/tools:1", command: [hello, idle]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: ended, namespace: people}
spec: {restartPolicy: Never, containers: [{name: main, image: "registry:5000/tools:1", command: ["true"]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: waits, namespace: people}
spec:
  nodeSelector: {disk: none}
  containers: [{name: main, image: "registry:5000/tools:1", command: [hello, idle]}]
YAML
phases() { kubectl get pods -n people -o jsonpath='{range .items[*]}{.metadata.name}={.status.phase} {end}'; }
settled() {
  [[ $(phases) == 'ended=Succeeded runs=Running waits=Pending ' ]] &&
    [[ $(kubectl get pods -n shop --field-selector=status.phase=Running --no-headers | wc -l) == 7 ]] &&
    [[ -z $(kubectl get pods -n billing -o name)$(kubectl get pods -n reports -o name) ]] &&
    [[ -z $(kubectl get deployments -A -o json |
      jq -r '.items[] | select((.status.readyReplicas // 0) != .spec.replicas) | .metadata.name') ]] &&
    [[ $(kubectl get deliveries -n plumb-system -o json | jq '[.items[] | select(.status.phase != "Delivered")] | length') == 0 ]]
}
until_ok 60 settled
[[ $(kubectl get deployments -A --no-headers | wc -l) == 50 ]] || fail 'there are not 50 Deployments'

# What server and agent say to each other. The agent's packets are led to the recorder; it comes
# back once with the View that it holds, and once without any.
AUTHORITY=$WORK/authority
mkdir -m 700 "$AUTHORITY"
for half in crt key; do
  kubectl get secret -n plumb-system plumb.ca -o "jsonpath={.data.tls\.$half}" | base64 -d >"$AUTHORITY/ca.$half"
done
on_server() { "$PLUMB" dev exec --dir "$CLUSTER" server -- "$@"; }
"$PLUMB" dev exec --dir "$CLUSTER" server -- \
  "$RECORD" 10.77.0.2:7444 10.77.0.2:6444 "$AUTHORITY" "$CLUSTER/nodes/node1/pki" "$FIXTURE/frames" &
RECORDER=$!
until_ok 10 test -s "$FIXTURE/frames"
on_server nft 'table ip record { chain in { type nat hook prerouting priority -100; tcp dport 6444 redirect to :7444; }; }'
kill_hard server && up
until_ok 30 grep -q '^server' "$FIXTURE/frames"
kill_hard node1 && rm "$CLUSTER/nodes/node1/view" && up
welcomes() { [[ $(grep -c '^server 4a' "$FIXTURE/frames") == 2 ]]; }
until_ok 30 welcomes
kubectl run -n people gone --image=registry:5000/tools:1 --restart=Never --command -- sh -c 'echo begun; exec hello idle' >/dev/null
begun() { kubectl logs -n people gone | grep begun; }
until_ok 30 begun
kubectl logs -n people gone --previous >/dev/null 2>&1 && fail 'there is a previous log'
timeout 1 kubectl logs -f -n people gone >/dev/null 2>&1 || true
kubectl delete pod -n people gone --wait=true >/dev/null
# A frame begins with its number: all fourteen are there (nodeagent's agent.proto).
said() { [[ $(cut -d' ' -f2 "$FIXTURE/frames" | cut -c1-2 | sort -u | wc -l) == 14 ]]; }
until_ok 60 said
until_ok 60 settled

# The end: the agent goes, its View is whole; then a listing that is the same twice, the backup,
# the server.
view_is_whole() {
  local pod
  for pod in $(kubectl get pods -A --field-selector=spec.nodeName=node1 -o jsonpath='{.items[*].metadata.name}'); do
    grep -qa " pods [a-z]* $pod " "$CLUSTER/nodes/node1/view" || return 1
  done
  ! grep -qa ' pods people gone ' "$CLUSTER/nodes/node1/view"
}
until_ok 30 view_is_whole
kill_hard node1
list_all() {  # a line a resource: {"path": ..., "list": ...}
  local resource version path
  kubectl api-resources --verbs=list --no-headers | awk '{print $1, $(NF - 2)}' | sort |
    while read -r resource version; do
      path=/apis/$version/$resource
      [[ $version == */* ]] || path=/api/$version/$resource
      printf '{"path":"%s","list":%s}\n' "$path" "$(kubectl get --raw "$path")"
    done
}
same_twice() {
  list_all >"$FIXTURE/listing"
  list_all | cmp -s - "$FIXTURE/listing"
}
until_ok 30 same_twice
"$PLUMB" backup "$FIXTURE/backup" >/dev/null
list_all | cmp -s - "$FIXTURE/listing" || fail 'something changed during the backup'
kill "$(jq .pid "$CLUSTER/run/server.pid")"
until_ok 30 bash -c "! kill -0 $(jq .pid "$CLUSTER/run/server.pid")"
kill "$RECORDER" && RECORDER=

for repository in "$CLUSTER"/server/git/*.git; do git -C "$repository" gc -q --prune=now; done
cp -a "$CLUSTER/server" "$FIXTURE/server"
rm -f "$FIXTURE"/server/{git-hook,git-hook.sock,store/LOCK,store/LOG*}  # a start makes them
cp -a "$CLUSTER/nodes/node1/view" "$FIXTURE/view"
tar -C "$FIXTURE" --sort=name --owner=0 --group=0 --numeric-owner -cf - . | gzip -9n >"$OUT"
ls -l "$OUT"

# Somebody else's pod, in a namespace of its own, which goes at the end. Its image is one that the cluster has already; bash
# and perl, which every image of Debian's kin has, are all that it needs.

foreign_namespace=

# Makes namespace and pods, once.
foreign_pod() {
  [[ ! $foreign_namespace ]] || return 0
  local image name=$namespace-e2e-$run
  image=$(probe_image) || { wrong "no image: give DECANT_PROBE_IMAGE"; return; }
  kubectl create namespace "$name" >/dev/null || { wrong "no namespace of its own can be made"; return; }
  foreign_namespace=$name
  undo_later "kubectl delete namespace $name --wait=false >/dev/null"
  { one_pod foreign 'e2e: foreign' sleep 7200; one_pod listener 'e2e: listener' perl -MSocket -e "$LISTEN"; } |
    kubectl -n "$name" create -f - >/dev/null || { wrong "the foreign pod can't be made"; return; }
  kubectl -n "$name" wait --for=condition=Ready pod/foreign pod/listener --timeout=300s >/dev/null ||
    { wrong "the foreign pod doesn't start"; return; }
}

# Takes connections on 8080, and hangs up.
# shellcheck disable=SC2016  # it is perl
LISTEN='socket(S,PF_INET,SOCK_STREAM,0);setsockopt(S,SOL_SOCKET,SO_REUSEADDR,1);bind(S,sockaddr_in(8080,INADDR_ANY))||die;
listen(S,9);while(1){accept(C,S);close(C)}'

probe_image() {
  [[ ! ${DECANT_PROBE_IMAGE:-} ]] || { echo "$DECANT_PROBE_IMAGE"; return; }
  kubectl get pods -l app.kubernetes.io/component=rabbitmq -o 'jsonpath={.items[0].spec.containers[0].image}'
}

# one_pod NAME LABELS COMMAND…: of $image, as Pod Security's strictest level wants it.
one_pod() {
  local name=$1 labels=$2 word list
  list=$(json_text "$3")
  for word in "${@:4}"; do list+=", $(json_text "$word")"; done
  cat <<YAML
---
apiVersion: v1
kind: Pod
metadata: {name: $name, labels: {$labels}}
spec:
  automountServiceAccountToken: false
  enableServiceLinks: false
  restartPolicy: Never
  activeDeadlineSeconds: 7200
  terminationGracePeriodSeconds: 1
  securityContext: {runAsNonRoot: true, runAsUser: 999, seccompProfile: {type: RuntimeDefault}}
  containers:
    - name: $name
      image: $image
      imagePullPolicy: IfNotPresent
      command: [$list]
      resources: {requests: {cpu: 10m, memory: 32Mi}, limits: {cpu: 200m, memory: 128Mi}}
      securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
YAML
}

json_text() {
  local text=${1//\\/\\\\}
  text=${text//\"/\\\"}
  printf '"%s"' "${text//$'\n'/ }"
}

in_foreign_pod() { kubectl -n "$foreign_namespace" exec foreign -- "$@"; }

# reach HOST PORT: `open` or `shut`, as the foreign pod finds it.
reach() {
  # shellcheck disable=SC2016  # for the bash in the pod
  in_foreign_pod bash -c 'timeout 5 bash -c "exec 3<>/dev/tcp/$0/$1" 2>/dev/null && echo open || echo shut' "$1" "$2"
}

is() { [[ $("${@:2}") == "$1" ]]; }

# Whether policies count here: somebody who was reached isn't any more once a policy lets nobody in.
policies_count() {
  local address
  address=$(kubectl -n "$foreign_namespace" get pod listener -o 'jsonpath={.status.podIP}') || return
  wait_for 60 "a foreign pod to reach its neighbour" is open reach "$address" 8080 || return
  kubectl -n "$foreign_namespace" create -f - >/dev/null <<'YAML' || { wrong "no policy can be made"; return; }
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: nobody-in}
spec: {podSelector: {matchLabels: {e2e: listener}}, policyTypes: [Ingress]}
YAML
  wait_for 30 "the policy" is shut reach "$address" 8080 || { skip "the cluster's network doesn't enforce NetworkPolicies"; return; }
}

foreign_pod_is_refused() {
  foreign_pod || return
  policies_count || return
  local target host port through=() targets
  mapfile -t targets < <(our_targets)
  ((${#targets[@]} > 0)) || { wrong "there is nothing to reach"; return; }
  for target in "${targets[@]}"; do
    read -r host port <<<"$target"
    # A name that nobody knows is no refusal.
    [[ $host != *.svc.* ]] || in_foreign_pod getent hosts "$host" >/dev/null || { wrong "$host has no address"; return; }
    is shut reach "$host" "$port" || through+=("$host:$port")
  done
  ((${#through[@]} == 0)) || { wrong "reached: ${through[*]}"; return; }
  seen="${#targets[@]} addresses refused: ${targets[*]}"
}

# Host and port of what only some may reach: Services by name, pods by address (8012 and 8013 are the queue-proxy's ports,
# 8080 the function's own).
our_targets() {
  local name address
  ask /health/liveness || true # so that upload has a pod
  for name in mongodb:27017 mysql:3306 rabbitmq:5672 rabbitmq:15672 mailpit:1025 decant-broker-ingress:80; do
    kubectl get service "${name%:*}" >/dev/null 2>&1 && echo "${name%:*}.$namespace.svc.cluster.local ${name#*:}"
  done
  while read -r address; do
    [[ ! $address ]] || printf '%s\n' "$address 8012" "$address 8013" "$address 8080"
  done < <(kubectl get pods -l serving.knative.dev/service --field-selector=status.phase=Running -o \
    'jsonpath={range .items[*]}{.status.podIP}{"\n"}{end}')
}

# post_event FUNCTION PATH TYPE DATA: what the function answers to the foreign pod, which knows its name, with its headers.
post_event() {
  foreign_pod || return
  in_foreign_pod bash -c "$POST" "$1.$namespace.svc.cluster.local" "$2" "$3" "$4"
}

# shellcheck disable=SC2016  # for the bash in the pod
POST='exec 3<>"/dev/tcp/$0/80" || exit
printf "POST %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nce-specversion: 1.0\r\nce-id: forged\r\nce-source: /mallory\r\n" "$1" "$0" >&3
printf "ce-type: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" "$2" "${#3}" "$3" >&3
timeout 60 cat <&3'

# The target `cluster`: the current kube context and namespace.

from_zero=", from zero pods"
TRIGGER=video-uploaded

target_begin() {
  local program
  for program in kubectl kn curl; do
    command -v "$program" >/dev/null || stop "$program isn't on PATH"
  done
  namespace=$(kubectl get ksvc upload -o 'jsonpath={.metadata.namespace}') ||
    stop "there is no Service \`upload\` in this namespace: kubectl config set-context --current --namespace=decant"
  if [[ ! ${DECANT_ADMIN:-} ]]; then
    DECANT_ADMIN=$(secret_value EMAIL):$(secret_value PASSWORD) ||
      stop "there is no Secret first-user-secret: give DECANT_ADMIN=email:password"
  fi
  find_way
}

secret_value() {
  local value
  value=$(kubectl get secret first-user-secret -o "jsonpath={.data.$1}") && base64 -d <<<"$value"
}

has_pods() { return 0; }

# pods SERVICE: how many there are, those that are going included.
pods() {
  local names
  names=$(kubectl get pods -l "serving.knative.dev/service=$1" -o name \
    --field-selector=status.phase!=Failed,status.phase!=Succeeded) || return
  count_lines "$names"
}

count_lines() {
  local lines
  mapfile -t lines <<<"$1"
  [[ $1 ]] && echo "${#lines[@]}" || echo 0
}

# Whether a function may go to zero.
sleeps() {
  local least
  least=$(kubectl get ksvc "$1" -o 'jsonpath={.spec.template.metadata.annotations.autoscaling\.knative\.dev/min-scale}')
  ((${least:-0} == 0)) || { note "$1 keeps $least pods"; return 1; }
}

functions_are_ready() {
  wait_for 600 "four Services to be READY" all_functions_ready || return
  seen="kn service list shows four times True"
}

all_functions_ready() {
  local list name url rest found=0
  list=$(kn service list --no-headers) || return
  while read -r name url rest; do
    case $name in upload | auth | convert | notify) ;; *) continue ;; esac
    [[ " $rest " == *" True "* ]] || return
    [[ $name == upload || $url == *.svc.* ]] || return
    found=$((found + 1))
  done <<<"$list"
  ((found == 4))
}

broker_is_ready() {
  wait_for 600 "Broker, Triggers and sources to be READY" broker_parts_ready || return
  seen="$parts parts"
}

broker_parts_ready() {
  local list name ready brokers=0 triggers=0
  parts=0
  list=$(kubectl get broker,trigger,pingsource,sinkbinding,domainmapping -o \
    'jsonpath={range .items[*]}{.kind}/{.metadata.name} {.status.conditions[?(@.type=="Ready")].status}{"\n"}{end}') || return
  while read -r name ready; do
    [[ $name ]] || continue
    [[ $ready == True ]] || return
    parts=$((parts + 1))
    case $name in Broker/*) brokers=1 ;; Trigger/*) triggers=$((triggers + 1)) ;; esac
  done <<<"$list"
  ((brokers == 1 && triggers >= 3))
}

log_of() { kubectl logs -l "serving.knative.dev/service=$1" -c "$1" --tail=-1 --max-log-requests=50; }

# There is no such path at convert: it answers 404, which counts as a failure like 503. The Trigger stays what it is but for
# that.
break_convert() {
  subscribed_path=$(kubectl get trigger "$TRIGGER" -o 'jsonpath={.spec.subscriber.uri}') || return
  subscribe /e2e-always-fails
}

mend_convert() {
  [[ ${subscribed_path:-} ]] || return 0
  subscribe "$subscribed_path" && subscribed_path=
}

# subscribe PATH: has the Trigger deliver there, and waits until a dispatcher does and the one before is gone.
subscribe() {
  local before
  before=$(subscriber) || return
  kubectl patch trigger "$TRIGGER" --type merge -p "{\"spec\":{\"subscriber\":{\"uri\":\"$1\"}}}" >/dev/null ||
    { wrong "the Trigger can't be changed"; return; }
  wait_for 180 "a dispatcher that delivers to $1" delivers_to "$1" "$before"
}

# Where the Trigger delivers to.
subscriber() { kubectl get trigger "$TRIGGER" -o 'jsonpath={.status.subscriberUri}'; }

# delivers_to PATH BEFORE
delivers_to() {
  local all now
  now=$(subscriber) && [[ $now == *"$1" && $now != "$2" ]] || return
  all=$(kubectl get pods -l eventing.knative.dev/brokerRole=dispatcher -o \
    'jsonpath={range .items[*]}{.spec.containers[0].env[?(@.name=="SUBSCRIBER")].value} {.status.containerStatuses[0].ready}{"\n"}{end}') ||
    return
  [[ $'\n'$all$'\n' == *$'\n'"$now true"$'\n'* && $'\n'$all != *$'\n'"$2 "* ]]
}

is_apart() { return 0; }

# kill_part PART: sets `killed`, what was done.
kill_part() {
  local what=() how=(--wait=false)
  case $1 in
    convert) what=(-l serving.knative.dev/service=convert) ;;
    convert-at-once) what=(-l serving.knative.dev/service=convert) how+=(--force --grace-period=0) ;;
    notify) what=(-l serving.knative.dev/service=notify) ;;
    dispatchers) what=(-l eventing.knative.dev/brokerRole=dispatcher) ;;
    ingress) what=(-l eventing.knative.dev/brokerRole=ingress) ;;
    rabbitmq) what=(-l "app.kubernetes.io/name=rabbitmq,app.kubernetes.io/component=rabbitmq") ;;
  esac
  local names
  names=$(kubectl delete pod "${what[@]}" "${how[@]}" -o name 2>"$work/kubectl") || names=''
  [[ $names == pod/* ]] || { wrong "no pod was deleted: $(<"$work/kubectl")"; return; }
  killed="${names//$'\n'/, } deleted"
}

# The PingSource does it, every ten minutes.
sweep_soon() { return 0; }

# stop WHY: nothing can be tested.
stop() {
  echo "e2e: $*" >&2
  exit 2
}

# How the cluster's door is reached from here: by the address that DECANT_URL, the DomainMapping or the Service `upload` gives,
# through DECANT_CONNECT_TO, or the gateway's own address, or a port-forward to it.

GATEWAY=${DECANT_GATEWAY:-kourier-system/kourier}
forward='' forward_to=''

find_way() {
  door=${DECANT_URL:-}
  [[ $door ]] || door=$(kubectl get domainmapping -o 'jsonpath={range .items[*]}{.status.url}{"\n"}{end}' | head -n 1) || true
  [[ $door ]] || door=$(kubectl get ksvc upload -o 'jsonpath={.status.url}')
  [[ $door ]] || stop "upload has no address: is it READY?"
  door=${door%/}
  forward_to=80
  [[ $door != https:* ]] || forward_to=443
  if [[ ${DECANT_CONNECT_TO:-} ]]; then
    way=(--connect-to "::$DECANT_CONNECT_TO")
  elif [[ ! ${DECANT_URL:-} ]]; then
    by_address || by_forward || stop "the gateway $GATEWAY can't be reached: give DECANT_CONNECT_TO=host:port"
  fi
}

# The gateway's load balancer, if there is one and it can be reached from here.
by_address() {
  local address
  address=$(kubectl -n "${GATEWAY%/*}" get service "${GATEWAY#*/}" -o \
    'jsonpath={.status.loadBalancer.ingress[0].ip}{.status.loadBalancer.ingress[0].hostname}' 2>/dev/null) || return
  [[ $address ]] || return
  [[ $address != *:* ]] || address="[$address]"
  way=(--connect-to "::$address:$forward_to")
  # A start from zero pods takes longer than a connection.
  curl -sSf --connect-timeout 3 --max-time 60 "${way[@]}" -o "$work/door" "$door/health/liveness" 2>/dev/null
}

by_forward() {
  : >"$work/forward"
  kubectl -n "${GATEWAY%/*}" port-forward "service/${GATEWAY#*/}" ":$forward_to" >"$work/forward" 2>&1 &
  forward=$!
  undo_later "kill $forward 2>/dev/null"
  wait_for 30 "the port-forward to $GATEWAY" forward_stands || return
  way=(--connect-to "::127.0.0.1:$forward_port")
}

forward_stands() {
  local said pattern='127\.0\.0\.1:([0-9]+)'
  said=$(<"$work/forward")
  [[ $said =~ $pattern ]] && forward_port=${BASH_REMATCH[1]}
}

# A port-forward ends with the pod that it leads to.
keep_way_open() {
  [[ ! $forward ]] || kill -0 "$forward" 2>/dev/null || by_forward
}

# The mail server of a cluster that has one of its own: Mailpit, which the overlay `local` brings.

# `exec` instead of a port: it passes by the NetworkPolicies, and wget is in the image.
mailbox() { kubectl exec deployment/mailpit -- wget -qO- "http://127.0.0.1:8025$1"; }

stop_mail() {
  kubectl scale deployment mailpit --replicas=0 >/dev/null &&
    wait_for 120 "the end of Mailpit's pod" mailpit_is_gone
}

mailpit_is_gone() {
  local names
  names=$(kubectl get pods -l app.kubernetes.io/name=mailpit -o name) && [[ ! $names ]]
}

# It has forgotten its mails then.
start_mail() {
  kubectl scale deployment mailpit --replicas=1 >/dev/null &&
    kubectl rollout status deployment mailpit --timeout=180s >/dev/null
}

# Leads Mailpit's Service to a pod that takes connections and says no word. Mailpit itself stays, with its mails; they can't be
# asked for meanwhile, since that pod has Mailpit's label, without which no policy would let anybody in.
hold_mail() {
  local image
  image=$(probe_image) || return
  silent=e2e-silent-mail-$run
  one_pod "$silent" "e2e: $silent, app.kubernetes.io/name: mailpit" perl -MSocket -e "$SILENT" |
    kubectl create -f - >/dev/null &&
    kubectl wait --for=condition=Ready "pod/$silent" --timeout=300s >/dev/null &&
    select_mail "\"$silent\"" &&
    wait_for 60 "Mailpit's Service to lead to $silent" mail_leads_astray
}

release_mail() {
  [[ $silent ]] || return 0
  select_mail null && kubectl delete pod "$silent" --ignore-not-found --timeout=60s >/dev/null && silent=''
}

silent=''

# Takes connections on 1025, keeps them, and notes each.
# shellcheck disable=SC2016  # it is perl
SILENT='socket(S,PF_INET,SOCK_STREAM,0);setsockopt(S,SOL_SOCKET,SO_REUSEADDR,1);bind(S,sockaddr_in(1025,INADDR_ANY))||die;
listen(S,99);$|=1;while(accept(my $taken,S)){push(@all,$taken);print("taken\n")}'

# select_mail VALUE: narrows Mailpit's Service to the pod with this label, or, with null, to none.
select_mail() {
  kubectl patch service mailpit --type merge -p "{\"spec\":{\"selector\":{\"e2e\":$1}}}" >/dev/null
}

mail_leads_astray() {
  local there address
  address=$(kubectl get pod "$silent" -o 'jsonpath={.status.podIP}') || return
  there=$(kubectl get endpointslices -l kubernetes.io/service-name=mailpit -o 'jsonpath={.items[*].endpoints[*].addresses[*]}') ||
    return
  [[ $address && $there == "$address" ]]
}

# How many mails wait, or waited, for a word.
held_mails() {
  local lines
  lines=$(kubectl logs "$silent") && count_lines "$lines"
}

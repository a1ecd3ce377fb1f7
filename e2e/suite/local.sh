# The target `local`: `decant up` with its servers, which `decant-e2e-local` has started. That program does what kubectl does
# on a cluster, at the address in DECANT_CONTROL, and has Mailpit's API there.

from_zero=

target_begin() {
  : "${DECANT_CONTROL:?is set by e2e/local}" "${DECANT_URL:?}" "${DECANT_ADMIN:?}"
  door=$DECANT_URL
}

# Functions are processes here.
has_pods() { return 1; }

keep_way_open() { return 0; }

# control PATH: asks for something to be done, and waits until it is.
control() { curl -fsS --max-time 600 -X POST "$DECANT_CONTROL$1" 2>&1; }

mailbox() { curl -fsS --max-time 20 "$DECANT_CONTROL$1"; }

functions_are_ready() { skip "there is no kn here; the door says below what it thinks of itself"; }

broker_is_ready() { skip "\`decant up\` has its Broker in itself"; }

log_of() {
  local line
  while IFS= read -r line; do
    [[ $line != *"\"function\":\"$1\""* ]] || printf '%s\n' "$line"
  done <"$DECANT_LOG"
}

stop_mail() { control /mail/stop; }
start_mail() { control /mail/start; }
hold_mail() { control /mail/hold; }
release_mail() { control /mail/start; }
held_mails() { mailbox /mail/held; }
break_convert() { control /convert/break; }
mend_convert() { control /convert/mend; }

is_apart() { [[ $1 != ingress ]]; }

# kill_part PART: sets `killed`, what was done.
kill_part() {
  killed=$(control "/kill/$1") || { wrong "$1 can't be killed: $killed"; return; }
}

# The sweep comes every ten minutes; here nobody waits for it.
sweep_soon() {
  wait_for 120 "a whole sweep" sweep_now
}

sweep_now() { [[ $(post_event notify /ping dev.knative.sources.ping '{}') == HTTP/*' 200 '* ]]; }

foreign_pod_is_refused() { skip "there is no cluster's network here"; }

# post_event FUNCTION PATH TYPE DATA: what the function answers, with its headers.
post_event() {
  local address
  address=$(curl -fsS "$DECANT_CONTROL/address/$1") || return
  curl -sS -i --max-time 60 "$address$2" -H 'ce-specversion: 1.0' -H 'ce-id: forged' -H 'ce-source: /mallory' \
    -H "ce-type: $3" -H 'content-type: application/json' --data-binary "$4"
}

# 1. Everything is READY, and at zero when idle.

chapter_1() {
  chapter "1. Ready, and asleep when nothing is asked for"
  step "Four functions are READY, and only upload is public" functions_are_ready
  step "The Broker, its Triggers and what binds to it are READY" broker_is_ready
  step "The door can be reached, and says that it is ready" door_is_ready
  step "Without requests every function goes to zero pods" all_sleep
  step "Mails can be read" mails_can_be_read
}

door_is_ready() {
  wait_for 120 "200 from $door/health/readiness" door_says_ready || { seen+=": $status $body"; return 1; }
  seen="$door${way[*]:+ (${way[*]})}"
}

door_says_ready() { ask /health/readiness && [[ $status == 200 ]]; }

mails_can_be_read() {
  wait_for 60 "Mailpit" mailbox_answers ||
    { skip "no Mailpit here: what the other steps say of mails is not looked at"; return; }
  sees_mails=yes
  seen="$(all_mails) so far"
}

# Waits until no function has a pod. Those that are told to stay (min-scale) may.
all_sleep() {
  has_pods || { skip "functions are processes here, which stay"; return; }
  local began name
  began=$(now_ms)
  for name in auth upload convert notify; do
    sleeps "$name" || continue
    wait_for 300 "$name to have no pod" at_zero "$name" || return
  done
  seen="zero pods after $(seconds $(($(now_ms) - began))) s"
}

at_zero() {
  local running
  running=$(pods "$1") && ((running == 0))
}

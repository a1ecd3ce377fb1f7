# 5. Thirty uploads at once.

CROWD=30

chapter_5() {
  chapter "5. Thirty at once"
  local jobs=() peak=0 failed="" began
  step "$CROWD uploads at once are accepted" crowd_comes
  step "All of them end, and pods of convert come for them" crowd_ends
  step "Everybody gets one mail" crowd_is_mailed
  step "Afterwards every function goes to zero pods" all_sleep
  step "Nobody got a second mail meanwhile" nobody_got_two
}

crowd_comes() {
  local i
  keep_way_open || return # once for all, who couldn't end one that they opened
  began=$(now_ms)
  for ((i = 1; i <= CROWD; i++)); do
    { upload "e2e-$run-crowd-$i.wav" "$work/middle.wav" -F sample_rate=48000 && echo "$job"; } >"$work/crowd-$i" &
    crowd+=($!)
  done
  wait "${crowd[@]}" || true
  for ((i = 1; i <= CROWD; i++)); do jobs+=("$(<"$work/crowd-$i")"); done
  local got=(${jobs[@]:+"${jobs[@]}"})
  for job in "${got[@]}"; do [[ $job ]] || { wrong "not all were accepted"; return; }; done
  seen="the last 202 after $(seconds $(($(now_ms) - began))) s"
}

crowd_ends() {
  wait_for 1800 "the end of all $CROWD" crowd_has_ended || { seen+=", ${#jobs[@]} are left"; return 1; }
  [[ ! $failed ]] || { wrong "a job failed: $failed"; return; }
  seen="the last one ready after $(seconds $(($(now_ms) - began))) s"
  has_pods || return 0
  seen+=", $peak pods of convert at the peak"
  ((peak > 1)) || wrong "there was never more than one pod of convert"
}

# Takes those that have ended off the list, and counts pods on the way.
crowd_has_ended() {
  local left=() id running
  for id in "${jobs[@]}"; do
    if has_pods && running=$(pods convert); then peak=$((running > peak ? running : peak)); fi
    if is_in "$id" ready; then continue; fi
    [[ $(field state "$body") != failed ]] || failed=$body
    left+=("$id")
  done
  jobs=("${left[@]}")
  [[ $failed ]] || ((${#jobs[@]} == 0))
}

crowd_is_mailed() {
  [[ $sees_mails ]] || { skip "mails can't be read here"; return; }
  local i
  for ((i = 1; i <= CROWD; i++)); do one_mail "${READY}e2e-$run-crowd-$i" 600 || return; done
  seen="$CROWD mails"
}

nobody_got_two() {
  [[ $sees_mails ]] || { skip "mails can't be read here"; return; }
  ((${#accepted[@]} > 0)) || { skip "chapter 4 was left out"; return; }
  all_mailed_once 1 || return
  seen="${#accepted[@]} uploads of chapter 4, one mail each"
}

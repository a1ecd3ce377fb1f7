# 4. Whatever dies, every accepted upload ends in one MP3 and one mail. The uploads of each step go on in the background of the
# next ones; the last step looks at all of them.

# Name and job of each accepted upload.
accepted=()

chapter_4() {
  chapter "4. Deaths"
  step "convert is deleted in the middle of a conversion" dies_at_work convert
  step "convert is killed at once in the middle of a conversion" dies_at_work convert-at-once
  step "notify is deleted with a mail in its hands" notify_dies
  step "The dispatchers are deleted in the middle of a conversion" dies_at_work dispatchers
  step "The Broker's ingress is deleted, while uploads come in" dies_at_work ingress
  step "RabbitMQ is deleted in the middle of a conversion, while uploads come in" dies_at_work rabbitmq
  step "Every accepted upload has ended in one MP3 and one mail" all_ended_once
}

dies_at_work() {
  local part=$1 progress
  is_apart "$part" || { skip "it is one process with the dispatchers here"; return; }
  accept "$part-long" "$work/long.wav" -F sample_rate=48000 || return
  # What an earlier step lost keeps its place in the line until the sweep, for up to twenty minutes.
  wait_for 1500 "job $job to be at work" is_at_work "$job" || { seen+=": $body"; return 1; }
  [[ $(field state "$body") == converting ]] || { wrong "it is no conversion any more: $body"; return; }
  progress=$(field progress_percent "$body")
  kill_part "$part" || return
  seen="$killed, at $progress %"
  accept "$part-1" "$work/short.wav" || return
  accept "$part-2" "$work/short.wav"
}

# is_at_work JOB: whether its conversion has got somewhere, or is over already. Progress is written every two seconds, which
# is long in the small conversions here.
is_at_work() {
  is_in "$1" converting ready failed || return
  ! has_pods || [[ $(field state "$body") != converting || $(field progress_percent "$body") != 0.0 ]]
}

# The mail server takes notify's connection and says no word to it, so that the mail is neither sent nor refused.
notify_dies() {
  [[ $sees_mails ]] || { skip "the mail server isn't ours to hold"; return; }
  undo_later release_mail
  hold_mail || { wrong "the mail server can't be held: $seen"; return; }
  accept notify-1 "$work/short.wav" || return
  wait_for 600 "a mail in notify's hands" mail_is_held || return
  kill_part notify || return
  release_mail || { wrong "the mail server doesn't come back"; return; }
  accept notify-2 "$work/short.wav" || return
  # Before somebody else dies: a mail that the server has taken, but not said so, comes twice when notify is killed just then.
  local entry
  for entry in "${accepted[@]: -2}"; do one_mail "$READY${entry% *}" 420 || return; done
  seen="$killed, while the mail server kept it waiting"
}

mail_is_held() {
  local count
  count=$(held_mails) && ((count > 0))
}

# accept NAME FILE [CURL'S ARGUMENT…]: uploads as a person does: again, when it was refused for now. Each try has a name of
# its own: one whose answer got lost may be a job all the same.
accept() {
  local name="e2e-$run-$1" file=$2 try=0
  shift 2
  wait_for 180 "an accepted upload" accept_once "$name" "$file" "$@" || { seen+=": $status $body"; return 1; }
  accepted+=("$name-$try $job")
}

accept_once() {
  local name=$1 file=$2
  shift 2
  try=$((try + 1))
  upload "$name-$try.wav" "$file" "$@"
}

all_ended_once() {
  local entry began mp3s=()
  began=$(now_ms)
  ((${#accepted[@]} > 0)) || { wrong "no upload was accepted"; return; }
  note "${#accepted[@]} uploads; what got lost is announced again by the sweep, after ten to twenty minutes"
  sweep_soon || return
  for entry in "${accepted[@]}"; do
    ends_as "${entry#* }" ready 2400 || return
    mp3s+=("$(field mp3_fid "$body")")
    download "${mp3s[-1]}" "$work/some.mp3" || { seen+=", of job ${entry#* }"; return 1; }
  done
  mapfile -t mp3s < <(printf '%s\n' "${mp3s[@]}" | sort -u)
  ((${#mp3s[@]} == ${#accepted[@]})) || { wrong "${#mp3s[@]} MP3s of ${#accepted[@]} uploads"; return; }
  all_mailed_once 2400 || return
  seen="${#accepted[@]} uploads, the last one $(seconds $(($(now_ms) - began))) s after the last death"
}

# all_mailed_once LIMIT
all_mailed_once() {
  local entry
  for entry in "${accepted[@]}"; do one_mail "$READY${entry% *}" "$1" || return; done
}

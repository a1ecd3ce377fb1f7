# 3. What can't be converted, what fails for a while, and what fails for good.

chapter_3() {
  chapter "3. Failures"
  step "A text file called .mp4 fails its job, and the mail says why" hopeless_input
  step "notify answers 503 three times, is asked again, and the mail comes" fails_for_a_while
  step "convert always fails: a dead letter, a failed job and a mail" fails_for_good
}

hopeless_input() {
  local name="e2e-$run-hopeless"
  upload "$name.mp4" "$work/hopeless.mp4" || return
  ends_as "$job" failed 600 || return
  [[ $(field code "$body") == unreadable ]] || { wrong "expected the code unreadable: $body"; return; }
  one_mail "$FAILED$name" 300 || return
  seen="unreadable"
  [[ $sees_mails ]] || return 0
  read_mail "$FAILED$name" || { wrong "the mail can't be read"; return; }
  [[ $mail_text == *unreadable* ]] || wrong "the mail doesn't name the code: $mail_text"
}

# The mail server goes away, so that notify can't do its work. Its Trigger comes back after 4, 8, 16, 32, 64 and 128 s.
fails_for_a_while() {
  [[ $sees_mails ]] || { skip "the mail server isn't ours to stop"; return; }
  local name="e2e-$run-late" since began
  undo_later start_mail
  stop_mail || { wrong "the mail server doesn't stop"; return; }
  upload "$name.wav" "$work/short.wav" || return
  began=$(now_ms) since=$(field created_at "$body")
  wait_for 300 "three answers of 503 from notify" refused_three_times "$since" || return
  start_mail || { wrong "the mail server doesn't start again"; return; }
  one_mail "$READY$name" 420 || return
  seen="the mail came $(seconds $(($(now_ms) - began))) s after the upload"
}

refused_three_times() {
  local count
  count=$(answers notify /mp3-ready 503 "$1") && ((count >= 3))
}

# answers FUNCTION PATH STATUS SINCE: how often it gave this answer since then, by its log.
answers() {
  local line count=0 at
  while IFS= read -r line; do
    at=$(field timestamp "$line")
    [[ $line == *"\"http.route\":\"$2\""* && $line == *"\"http.response.status_code\":$3"* && ! $at < $4 ]] &&
      count=$((count + 1))
  done < <(log_of "$1")
  echo "$count"
}

# Every try of the Trigger `video-uploaded` is spent: 0, 8, 24, 56, 120, 248 and 504 s after the first.
fails_for_good() {
  [[ ! $short ]] || { skip "it takes nine minutes"; return; }
  local name="e2e-$run-dead" began
  undo_later mend_convert
  break_convert || return
  upload "$name.wav" "$work/short.wav" || return
  began=$(now_ms)
  note "the tries of this event take eight and a half minutes"
  ends_as "$job" failed 900 || return
  seen="undelivered after $(seconds $(($(now_ms) - began))) s"
  [[ $(field code "$body") == undelivered ]] || { wrong "expected the code undelivered: $body"; return; }
  one_mail "$FAILED$name" 300 || return
  mend_convert || return
  upload "e2e-$run-mended.wav" "$work/short.wav" || return
  ends_as "$job" ready 600
}

# 6. Somebody else in the cluster. Where the network enforces policies nobody reaches what isn't theirs. Through the gateway
# everybody reaches every function by name: so a function must not believe an event, nor tell its sender anything.

MALLORY=mallory@email.com
FORGED_MP3=0123456789abcdef01234567
UNKNOWN=0123456789abcdef89abcdef

chapter_6() {
  chapter "6. Strangers"
  local known
  step "A foreign pod reaches no database, no RabbitMQ, no Broker and no pod of ours by address" foreign_pod_is_refused
  step "A job is there to be lied about" known_job
  step "A forged video.uploaded at convert changes nothing and tells nothing" forged convert / video.uploaded
  step "Of a job that is being converted it tells nothing either" forged_at_work
  step "A forged mp3.ready at notify changes nothing and tells nothing" forged notify /mp3-ready mp3.ready
  step "A forged job.failed at notify changes nothing and tells nothing" forged notify /job-failed job.failed
  step "A forged dead letter at notify changes nothing and tells nothing" forged notify /dead-letter video.uploaded
}

known_job() {
  upload "e2e-$run-known.wav" "$work/short.wav" || return
  known=$job
  ends_as "$known" ready 600 || return
  one_mail "${READY}e2e-$run-known" 300 || return
  seen="job $known"
}

# forged FUNCTION PATH TYPE: lies about the known job, and about one that there isn't.
forged() {
  local before mails answer_known
  [[ $known ]] || { wrong "there is no job"; return; }
  show "$known" || return
  before=$body mails=$(mails_if_seen)
  lie "$1" "$2" "$3" "$known" || { wrong "no answer from $1"; return; }
  answer_known="$status $body"
  is_told_nothing || return
  lie "$1" "$2" "$3" "$UNKNOWN" || { wrong "no answer from $1"; return; }
  [[ $answer_known == "$status $body" ]] || { wrong "a job that there isn't is answered otherwise: $status $body"; return; }
  show "$known" || return
  [[ $body == "$before" ]] || { wrong "the record was $before, and is $body"; return; }
  [[ $(mails_if_seen) == "$mails" ]] || { wrong "there are $(mails_if_seen) mails, and were $mails"; return; }
  seen="answer $answer_known, known or not${mails:+, $mails mails before and after}"
}

# Between its claim and its end a job has a lease, of which its owner's event would be told.
forged_at_work() {
  local busy name="e2e-$run-busy"
  upload "$name.wav" "$work/long.wav" -F sample_rate=48000 || return
  busy=$job
  wait_for 600 "job $busy to be at work" is_at_work "$busy" || { seen+=": $body"; return 1; }
  lie convert / video.uploaded "$busy" || { wrong "no answer from convert"; return; }
  is_told_nothing || return
  is_in "$busy" converting || { wrong "it is no conversion any more: $body"; return; }
  ends_as "$busy" ready 600 || return
  one_mail "$READY$name" 300
}

is_told_nothing() {
  [[ $status == 200 && ! $body && ${headers,,} != *$'\nce-'* ]] ||
    wrong "expected 200 and nothing, got $status: $headers $body"
}

mails_if_seen() { [[ ! $sees_mails ]] || all_mails; }

# lie FUNCTION PATH TYPE JOB: posts an event of somebody else's. Sets `status`, `headers`, `body`.
lie() {
  local data answer
  data="{\"video_fid\":\"$4\",\"mp3_fid\":\"$FORGED_MP3\",\"username\":\"$MALLORY\",\"file_name\":\"stolen.mp4\""
  data+=",\"title\":\"stolen\",\"duration_ms\":1,\"size_bytes\":1,\"problem\":{\"code\":\"forged\",\"detail\":\"Forged.\"}}"
  answer=$(post_event "$1" "$2" "dev.decant.$3" "$data") || return
  answer=${answer//$'\r'/}
  [[ $answer == HTTP/* ]] || return
  read -r _ status _ <<<"$answer"
  headers=${answer%%$'\n\n'*} body=
  [[ $answer != *$'\n\n'* ]] || body=${answer#*$'\n\n'}
  # An empty body may come as one last chunk of no bytes.
  [[ ${headers,,} != *'transfer-encoding: chunked'* || $body != 0 ]] || body=
}

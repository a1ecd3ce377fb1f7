# 2. The way of one upload, from zero pods.

chapter_2() {
  chapter "2. From a file to an MP3 and a mail"
  local name="e2e-$run-first" began
  step "A person signs in${from_zero}" signs_in
  step "A file is uploaded${from_zero}, and answered with 202" uploads_first
  step "The job becomes ready" first_gets_ready
  step "The MP3 can be downloaded, whole and in part" first_is_downloaded
  step "One mail tells about it, and its link needs no token" first_is_mailed
}

signs_in() {
  if has_pods; then all_sleep || return; fi
  sign_in || return
  seen="the token after $(seconds "$took_ms") s"
}

uploads_first() {
  if has_pods; then all_sleep || return; fi
  began=$(now_ms)
  upload "$name.${given##*.}" "$given" || return
  first=$job
  seen="202 after $(seconds "$took_ms") s, job $first"
}

first_gets_ready() {
  [[ $first ]] || { wrong "there is no job"; return; }
  ends_as "$first" ready 600 || return
  seen="$(seconds $(($(now_ms) - began))) s after curl began, $(field duration_ms "$body") ms of sound"
  [[ $given != "$work/short.wav" || $(field duration_ms "$body") == $((SHORT_S * 1000)) ]] ||
    wrong "expected $((SHORT_S * 1000)) ms of sound: $body"
}

first_is_downloaded() {
  local mp3 size got
  show "$first" || return
  mp3=$(field mp3_fid "$body") size=$(field mp3_size_bytes "$body")
  download "$mp3" "$work/first.mp3" || return
  got=$(wc -c <"$work/first.mp3")
  ((got == size)) || { wrong "$got bytes instead of $size"; return; }
  answered 206 "/download?id=$mp3" -H "Authorization: Bearer $token" -r 0-9 -o "$work/part" || return
  answered 401 "/download?id=$mp3" -o "$work/part" || return
  seen="$size bytes"
}

first_is_mailed() {
  [[ $sees_mails ]] || { skip "mails can't be read here"; return; }
  local link pattern='https?://[^/]+(/download\?[^ "\]*)'
  one_mail "$READY$name" 300 || return
  read_mail "$READY$name" || { wrong "the mail can't be read"; return; }
  [[ $mail_to == "$email" ]] || { wrong "it is to $mail_to, not to $email"; return; }
  [[ $mail_text =~ $pattern ]] || { wrong "there is no link in it: $mail_text"; return; }
  link=${BASH_REMATCH[1]}
  answered 200 "$link" -o "$work/linked.mp3" || return
  [[ $(cksum <"$work/linked.mp3") == "$(cksum <"$work/first.mp3")" ]] || { wrong "its link gives another MP3"; return; }
  seen="to $mail_to"
}

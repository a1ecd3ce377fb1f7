# The public calls, as a person makes them with curl. `door` is its address, `way` what curl needs to get there.

token=
way=()

# ask PATH [CURL'S ARGUMENT…]: sets `status`, `body` and `took_ms`. Fails when there is no answer.
ask() {
  local path=$1 answer took
  shift
  keep_way_open || return
  status=000 took_ms=0
  body=$(curl -sS --max-time 620 "${way[@]}" -w '\n%{http_code} %{time_total}' "$door$path" "$@" 2>&1) || return
  answer=${body##*$'\n'}
  body=${body%$'\n'*}
  read -r status took <<<"$answer"
  took_ms=$((10#${took%.*} * 1000 + 10#${took#*.} / 1000))
}

# answered STATUS PATH [CURL'S ARGUMENT…]: asks, and fails with what came instead of this status.
answered() {
  local expected=$1
  shift
  ask "$@" || { wrong "no answer: $body"; return; }
  [[ $status == "$expected" ]] || wrong "answer $status instead of $expected: $body"
}

# Signs in, and keeps the token.
sign_in() {
  answered 200 /login -X POST -u "$email:$password" || return
  [[ $body == *.*.* ]] || { wrong "that is no token: $body"; return; }
  token=$body
}

# upload NAME FILE [CURL'S ARGUMENT…]: gives the file to the door, once. Sets `job`, the new job's id, if it was accepted.
upload() {
  local name=$1 file=$2
  shift 2
  job=
  answered 202 /upload -X POST -H "Authorization: Bearer $token" "$@" -F "file=@$file;filename=$name" || return
  job=$(field id "$body")
}

# show JOB: its record, in `body`.
show() { answered 200 "/jobs/$1" -H "Authorization: Bearer $token"; }

# is_in JOB STATE…: whether the job is in one of these states.
is_in() {
  local id=$1 state
  shift
  show "$id" || return
  state=$(field state "$body")
  [[ " $* " == *" $state "* ]]
}

# ends_as JOB STATE LIMIT: waits until a job has ended, and says whether as expected.
ends_as() {
  wait_for "$3" "the end of job $1" is_in "$1" ready failed || { seen+=": $body"; return 1; }
  [[ $(field state "$body") == "$2" ]] || wrong "the job ended otherwise than $2: $body"
}

# download ID FILE: the MP3 into a file. It begins with an ID3 tag.
download() {
  answered 200 "/download?id=$1" -H "Authorization: Bearer $token" -o "$2" || return
  [[ $(head -c 3 "$2") == ID3 ]] || wrong "what was downloaded is no MP3"
}

# field NAME JSON: the value of the first field of this name, without quotes.
field() {
  local pattern="\"$1\":(\"([^\"]*)\"|[^],}]*)"
  [[ $2 =~ $pattern ]] || return 0
  [[ ${BASH_REMATCH[1]} == \"* ]] && echo "${BASH_REMATCH[2]}" || echo "${BASH_REMATCH[1]}"
}

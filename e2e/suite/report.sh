# Steps, what they show, and the sum of them. A step is a function: it returns 0 for passed, 1 for failed, $SKIP where it
# doesn't apply, and leaves in `seen` what was seen. bash switches `set -e` off inside of a step, so each thing that can
# fail says `|| return`.

SKIP=77
passed=0 failed=0 skipped=0
seen=

# chapter TITLE
chapter() { printf '\n%s\n' "$1"; }

# step SENTENCE FUNCTION [ARGUMENT…]
step() {
  local sentence=$1 ended=0 began word
  shift
  seen=
  began=$(now_ms)
  "$@" || ended=$?
  case $ended in
    0) word=passed passed=$((passed + 1)) ;;
    "$SKIP") word=skipped skipped=$((skipped + 1)) ;;
    *) word=FAILED failed=$((failed + 1)) ;;
  esac
  printf '  %-7s %s (%s s)%s\n' "$word" "$sentence" "$(seconds $(($(now_ms) - began)))" "${seen:+: $seen}"
}

# What a long step is at.
note() { printf '          … %s\n' "$*"; }

# skip WHY: the step doesn't apply.
skip() { seen=$* && return "$SKIP"; }

# wrong WHAT: the step failed.
wrong() { seen=$* && return 1; }

# The last line, and the exit status of the whole.
summary() {
  printf '\n%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
  ((failed == 0))
}

# wait_for LIMIT WHAT COMMAND…: asks the command again until it succeeds, for at most so many seconds. What was wrong
# meanwhile is forgotten then.
wait_for() {
  local limit=$1 what=$2 began=$SECONDS before=$seen
  shift 2
  until "$@"; do
    ((SECONDS - began < limit)) || { wrong "waited $limit s in vain for $what"; return; }
    sleep "$PAUSE"
  done
  seen=$before
}

# Milliseconds since 1970.
now_ms() {
  local micros=${EPOCHREALTIME/[.,]/}
  echo $((micros / 1000))
}

# seconds MILLISECONDS: as people read them.
seconds() { printf '%d.%d' $(($1 / 1000)) $(($1 % 1000 / 100)); }

# What has to be put right again at the end, however it comes, last thing first.
undos=()
undo_later() { undos+=("$*"); }
undo_all() {
  local i
  for ((i = ${#undos[@]} - 1; i >= 0; i--)); do eval "${undos[i]}" || true; done
  undos=()
}

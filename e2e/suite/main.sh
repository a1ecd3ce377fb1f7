# What both targets do: read the arguments, prepare, and go through the chapters.

# usage FILE: the head of a program, which is its manual.
usage() {
  local line
  while IFS= read -r line; do
    [[ $line != '#!'* ]] || continue
    [[ $line == '#'* ]] || return 0
    line=${line#'#'}
    printf '%s\n' "${line# }"
  done <"$1"
}

# main [--short] [--only CHAPTERS] [FILE]
main() {
  short='' only='1 2 3 4 5 6' given=''
  while (($#)); do
    case $1 in
      --short) short=yes ;;
      --only) only=${2:?--only takes chapters such as 1,2} && only=${only//,/ } && shift ;;
      --help) usage "$suite/../$target" && exit ;;
      -*) usage "$suite/../$target" >&2 && exit 2 ;;
      *) given=$1 ;;
    esac
    shift
  done
  prepare
  local number
  for number in $only; do "chapter_$number"; done
  summary
}

prepare() {
  work=$(mktemp -d)
  undo_later "rm -rf '$work'"
  trap undo_all EXIT
  trap 'exit 130' INT TERM
  run=$EPOCHSECONDS
  first=''
  target_begin
  email=${DECANT_ADMIN%%:*} password=${DECANT_ADMIN#*:}
  make_media
  given=${given:-${DECANT_TEST_FILE:-$work/short.wav}}
  [[ -r $given ]] || { echo "e2e: $given can't be read" >&2; exit 2; }
  [[ " $only " == *" 1 "* ]] || ! wait_for 60 "Mailpit" mailbox_answers || sees_mails=yes
  [[ " $only " == *" 2 "* ]] || sign_in || { echo "e2e: nobody can sign in: $seen" >&2; exit 2; }
}

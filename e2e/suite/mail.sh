# The mails, in the words of Mailpit's API: `mailbox PATH` gives its answer, on a cluster from Mailpit, else from something
# that speaks alike.

READY="Your MP3 is ready: "
FAILED="No MP3 could be made: "

# Whether mails can be read here at all. A real mail server keeps what it gets to itself.
sees_mails=

# mails_about SUBJECT: how many have just this subject.
mails_about() {
  local all needle="\"Subject\":\"$1\"" rest
  all=$(mailbox '/api/v1/messages?limit=1000') || return
  rest=${all//"$needle"/}
  echo $(((${#all} - ${#rest}) / ${#needle}))
}

mailbox_answers() { mailbox '/api/v1/messages?limit=1' >/dev/null 2>&1; }

# How many there are.
all_mails() {
  local all
  all=$(mailbox '/api/v1/messages?limit=1') || return
  field total "$all"
}

# a_mail_about SUBJECT
a_mail_about() {
  local found
  found=$(mails_about "$1") && ((found > 0))
}

# one_mail SUBJECT LIMIT: waits for the mail, and sees that it is the only one. Where mails can't be read, that is not
# looked at; a step of its own says so.
one_mail() {
  local found
  [[ $sees_mails ]] || return 0
  wait_for "$2" "the mail «$1»" a_mail_about "$1" || return
  found=$(mails_about "$1") || { wrong "the mails can't be read"; return; }
  ((found == 1)) || wrong "$found mails «$1»"
}

# read_mail SUBJECT: sets `mail_to` and `mail_text` of one mail.
read_mail() {
  local all needle="\"Subject\":\"$1\"" id pattern='"To":\[\{[^]]*"Address":"([^"]*)"'
  all=$(mailbox '/api/v1/messages?limit=1000') || return
  [[ $all == *"$needle"* ]] || return
  all=${all%%"$needle"*}
  all=${all##*'"ID":"'}
  id=${all%%\"*}
  mail_text=$(mailbox "/api/v1/message/$id") || return
  [[ $mail_text =~ $pattern ]] || return
  mail_to=${BASH_REMATCH[1]}
  mail_text=${mail_text//\\u0026/&}
}

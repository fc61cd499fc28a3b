# The real logrotate rotates the history, and the ids continue.
# shellcheck source=lib.bash
. "$(dirname "${BASH_SOURCE[0]}")/lib.bash"
need logrotate jq
standard_jobs
instance 'channels: [ { id: 1, name: "demo", command: ["handlers/note"] } ]'
last_id() { jq -s 'map(.id) | max' "$spool/history.jsonl"; }
increases() { jq -se 'map(.id) | . == (. | unique) and length > 0' "$1"; }

try bobbin run
before=$(last_id)
check "a run writes records with ids" test "$before" -ge 1

# The shipped file, for this spool and the user who runs the suite.
sed -e "s#/var/spool/bobbin#$spool#" -e "s/su bobbin bobbin/su $(id -un) $(id -gn)/" \
    "$project/etc/logrotate.d/bobbin" >"$work/logrotate.conf"
chmod 644 "$work/logrotate.conf"
check "the shipped logrotate file fits this spool" grep -qF "$spool/history.jsonl {" "$work/logrotate.conf"
# Some distributions have other defaults, which come before the file.
{ printf 'dateext\nolddir %s\ncompress\n' "$work/old"; cat "$work/logrotate.conf"; } >"$work/with-defaults.conf"
chmod 644 "$work/with-defaults.conf"
mkdir "$work/old"
try logrotate --state "$work/logrotate.state" --force "$work/with-defaults.conf"
equal "logrotate accepts it after the defaults of other distributions" "0 " "$status $(cat "$work/err")"
check "the history is rotated to the name that Bobbin reads" test -e "$spool/history.jsonl.1" -a ! -e "$spool/history.jsonl"

try bobbin run
equal "a run after the rotation succeeds" 0 "$status"
check "its ids continue after the old ones" test "$(jq -s 'map(.id) | min' "$spool/history.jsonl")" -gt "$before"
before=$(last_id)

rm "$spool/history.jsonl"
try bobbin trigger demo --json
check "ids also continue after a deletion" test "$(json .download_history_id)" -gt "$before"

# A crash while a line was being written leaves half of it.
printf '{"id":12345,"outc' >>"$spool/history.jsonl"
try bobbin run
equal "a torn last line does not stop a run" 0 "$status"
equal "the next record is not appended to the torn line" 0 "$(grep -cF '"outc{' "$spool/history.jsonl")"
try bobbin history --json
equal "the complete lines are still read" 0 "$status"
check "and each id occurs once" increases "$work/out"

finished

# The real logrotate rotates the history, and the ids continue.
# shellcheck source=lib.bash
. "$(dirname "${BASH_SOURCE[0]}")/lib.bash"
need logrotate jq strace
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

# A crash between the record of a job and the end of its claim, then a rotation, then the next run. The program is killed
# instead of giving the result its name, which is all that it calls renameat(2) for.
crash() {
    strace -f -qq -o "$work/trace" -e trace=renameat -e inject=renameat:error=EIO:signal=KILL \
        "$BOBBIN" --config "$config" run --spool-only
}

# rotated_after_crash STANZA SETTING…: the settings come before the stanza, as those of logrotate.conf do.
rotated_after_crash() {
    local stanza=$1
    shift
    rm -rf "$spool" "$work/old" "$work/logrotate.state"
    mkdir "$spool" "$work/old"
    : >"$work/journal"
    try bobbin run
    echo 1 >"$spool/a.json"
    try crash
    equal "the batch is killed after the record ($*)" "137 1" "$status $(record a.json .id | wc -l)"
    { printf '%s\n' "$@"; cat "$stanza"; } >"$work/with-defaults.conf"
    chmod 644 "$work/with-defaults.conf"
    try logrotate --state "$work/logrotate.state" --force "$work/with-defaults.conf"
    equal "logrotate rotates the history ($*)" "0 0" "$status $(cat "$spool/history.jsonl" 2>/dev/null | wc -l)"
    try bobbin run --spool-only
    equal "the job is not run twice ($*)" 1 "$(grep -c 'manual demo a.json' "$work/journal")"
    check "nothing is left pending or claimed ($*)" at_rest
}
is_finished() {
    equal "the claim is finished by its record ($1)" "0 a.json " "$status $(names "$spool/done") $(names "$spool/failed")"
}
is_interrupted() {
    equal "the job is failed as interrupted ($1)" "1  a.json interrupted" \
        "$status $(names "$spool/done") $(names "$spool/failed") $(record a.json .outcome)"
}

# As a person writes it who relies on the defaults of the distribution.
printf '%s {\n    missingok\n    su %s %s\n}\n' "$spool/history.jsonl" "$(id -un)" "$(id -gn)" >"$work/plain.conf"
rotated_after_crash "$work/plain.conf" 'rotate 4'
is_finished "by number"
rotated_after_crash "$work/plain.conf" 'rotate 4' dateext
is_finished "by date"
check "the name has the date in it" test -e "$spool/history.jsonl-$(date +%Y%m%d)"
rotated_after_crash "$work/plain.conf" 'rotate 4' "olddir $work/old"
is_interrupted "in another folder"
rotated_after_crash "$work/plain.conf" 'rotate 4' compress
is_interrupted "compressed"
rotated_after_crash "$work/plain.conf" 'rotate 4' dateext compress
is_interrupted "by date, compressed"
check "the compressed history is beside it" test -e "$spool/history.jsonl-$(date +%Y%m%d).gz"
rotated_after_crash "$work/logrotate.conf" dateext "olddir $work/old" compress create
is_finished "with the shipped file, whatever the defaults are"
# logrotate makes an empty history at once, which must not be taken for the one that was there before the crash.
rotated_after_crash "$work/plain.conf" 'rotate 4' "olddir $work/old" create
is_interrupted "in another folder, an empty one in its place"

# In a drop box (setgid, the group of the submitters) what is rotated stays the batch's.
group=$(id -gn)
if [ "$(id -u)" = 0 ]; then group=games; fi
for settings in nocreate create compress copytruncate; do
    rm -rf "$spool" "$work/logrotate.state"
    mkdir "$spool"
    chgrp "$group" "$spool" && chmod 3730 "$spool"
    try bobbin run
    { printf 'rotate 4\n%s\n' "$settings"; cat "$work/plain.conf"; } >"$work/with-defaults.conf"
    chmod 644 "$work/with-defaults.conf"
    try logrotate --state "$work/logrotate.state" --force "$work/with-defaults.conf"
    try bobbin run
    for file in "$spool"/history.jsonl*; do
        equal "${file##*/} of a drop box is for the batch's user and group alone ($settings)" \
            "640 $(id -un) $(id -gn)" "$(stat -c '%a %U %G' "$file")"
    done
done

finished

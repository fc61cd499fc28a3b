# The real cron daemon runs Bobbin from the shipped crontab.
# shellcheck source=lib.bash
. "$(dirname "${BASH_SOURCE[0]}")/lib.bash"
need cron unshare mount flock jq
if [ "$(id -u)" -ne 0 ]; then
    not_ok "needs root, because cron reads /etc/cron.d only as root"
    finished
fi
standard_jobs
instance 'channels: [ { id: 1, name: "demo", command: ["handlers/note"] } ]'

# The shipped file, but every minute instead of every 15, as root, and for this instance and this program. The output
# that cron would mail is kept in a file.
mkdir "$work/bin" "$work/cron.d" "$work/crontabs"
ln -s "$BOBBIN" "$work/bin/bobbin"
sed -e 's#^\*/15 \* \* \* \* bobbin #* * * * * root #' \
    -e "s#^PATH=#PATH=$work/bin:#" \
    -e "s#/etc/bobbin/bobbin.json5#$config#" \
    -e "/^\* /s#\$# >>$work/mail 2>\&1#" \
    "$project/etc/cron.d/bobbin" >"$work/cron.d/bobbin"
chmod 644 "$work/cron.d/bobbin"
entry=$(sed -n 's/^\* \* \* \* \* root //p' "$work/cron.d/bobbin")
check "the shipped crontab has one entry" test "$(grep -c . <<<"$entry")" -eq 1 -a -n "$entry"
# by_hand: runs the entry as cron would, and prints the output that would be mailed.
by_hand() { env -i PATH="$work/bin:$PATH" HOME="$work" /bin/sh -c "${entry%% >>*}"; }
# mailed: the output of the entry on both streams.
mailed() { cat "$work/out" "$work/err"; }

# A separate cron daemon, in a mount namespace where /etc/cron.d holds only this file, no other crontab exists and /run
# is empty. So it neither conflicts with a running daemon nor executes the machine's own jobs.
echo 1 >"$spool/dropped.json"
: >"$work/crontab"
cat >"$work/cron" <<EOF
set -e
mount --bind '$work/cron.d' /etc/cron.d
mount --bind '$work/crontabs' /var/spool/cron/crontabs
mount --bind '$work/crontab' /etc/crontab
mount -t tmpfs tmpfs /run
exec cron -f
EOF
start unshare --mount --propagation private sh "$work/cron"
daemon=$started
check "cron runs Bobbin and the trigger is done within two minutes" \
    wait_for 130 test -e "$spool/done/dropped.json"
cp "${output[$daemon]}.err" "$work/err"
check "cron is alive and did not report errors" test -d "/proc/$daemon" -a ! -s "$work/err"
check "the trigger's document reports success" holds '.success' "$spool/done/dropped.json"
equal "the enabled channel was also run, before the trigger" "scheduled demo -
manual demo dropped.json" "$(head -n 2 "$work/journal")"
wait_for 20 is_free "$spool/scheduler.lock"
kill "$daemon"
wait_for 20 ended "$daemon"
equal "nothing is mailed when all jobs succeeded" "" "$(cat "$work/mail")"

# The same entry, without waiting for cron. A run that finds another run active must not cause a mail, and a failure
# must.
instance 'channels: [ { id: 1, name: "demo", command: ["handlers/hold"] } ]'
start bobbin run
check "a long run is active" wait_for 20 test -e "$work/holding"
try by_hand
equal "a run that finds it active mails nothing, and its status is 0" "0 " "$status $(mailed)"
touch "$work/release"
join "$started"
instance 'channels: [ { id: 1, name: "demo", command: ["false"] } ]'
try by_hand
check "a failed job is mailed" grep -q demo <<<"$(mailed)"
equal "and its status is 1" 1 "$status"
instance 'channels: [ { id: 1, name: "demo", command: ["true"] } ]'
try by_hand
equal "a good run mails nothing, and its status is 0" "0 " "$status $(mailed)"
instance 'channels: [ { id: 1, name: "demo", comand: ["true"] } ]'
try by_hand
check "a fault in the configuration is mailed" grep -q comand <<<"$(mailed)"
equal "and its status is 78" 78 "$status"

finished

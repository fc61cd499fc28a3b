# `bobbin watch` works triggers off as they come, and stops cleanly.
# shellcheck source=lib.bash
. "$(dirname "${BASH_SOURCE[0]}")/lib.bash"
need flock jq
standard_jobs
instance 'channels: [ { id: 1, name: "demo", command: ["handlers/note"] } ]'

start bobbin watch --every 1s
watcher=$started
touch "$spool/demo.json"
check "a touched file is done within seconds" wait_for 20 test -e "$spool/done/demo.json"
check "the lock is free in between" wait_for 20 is_free "$spool/scheduler.lock"
try bobbin run --wait 20s
equal "a scheduled run gets its turn" 0 "$status"
echo '{"channel":"demo"}' >"$spool/two.json"
check "and watching goes on" wait_for 20 test -e "$spool/done/two.json"
kill -TERM "$watcher"
join "$watcher" 15
check "SIGTERM ends it cleanly" test "$status" -eq 0 -o "$status" -eq 143
check "nothing is left over" at_rest

finished

# Bobbin and a shell script with flock(1) respect each other's locks.
# shellcheck source=lib.bash
. "$(dirname "${BASH_SOURCE[0]}")/lib.bash"
need flock jq
standard_jobs
instance 'channels: [ { id: 1, name: "demo", command: ["handlers/note"] }, ]'

# --- A script holds the lock.
start flock "$spool/scheduler.lock" "$work/etc/handlers/hold"
holder=$started
check "flock(1) takes the lock" wait_for 20 test -e "$work/holding"
: >"$work/journal"
touch "$spool/demo.json"

try bobbin run --json
equal "a run that finds the lock held exits 75" 75 "$status"
equal "and says so" busy "$(json .status)"
check "and warns about a holder that it cannot name" mentions ' warning busy.*(unknown|flock)'
equal "and has run nothing" "" "$(cat "$work/journal")"
check "and has left the trigger pending" test -e "$spool/demo.json"

try bobbin trigger demo --json
equal "a trigger is accepted nevertheless" "0 queued" "$status $(json .status)"
# demo.json sorts after the name that begins with a date.
equal "and is first in the queue" 1 "$(json .position)"

touch "$work/release"
join "$holder"
rm "$work/release" "$work/holding"
try bobbin run --json
equal "a run with the lock free processes both" "0 2" "$status $(json .triggers.succeeded)"
check "nothing is pending or claimed afterwards" at_rest

# --- Bobbin holds the lock.
instance 'channels: [ { id: 1, name: "demo", command: ["handlers/hold"] }, ]'
start bobbin run --json
check "a run starts its job" wait_for 20 test -e "$work/holding"
try flock -n "$spool/scheduler.lock" true
equal "flock -n is refused while it runs" 1 "$status"
try bobbin run --json
equal "a second run exits 75" 75 "$status"
check "and names the holder" mentions ' warning busy.*(pid|process)[ =][0-9]+'
touch "$work/release"
join "$started"
equal "the first run ends well" 0 "$status"
try flock -n "$spool/scheduler.lock" true
equal "flock -n gets the lock afterwards" 0 "$status"

finished

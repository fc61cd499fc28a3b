# Killed in the middle of a job: a repetition, never a lost request, and never two jobs of a channel at once.
# shellcheck source=lib.bash
. "$(dirname "${BASH_SOURCE[0]}")/lib.bash"
need flock jq
standard_jobs

# killed_in_a_job NAME: a batch is killed with SIGKILL while the job of trigger NAME holds.
killed_in_a_job() {
    rm -f "$work/holding" "$work/release"
    : >"$work/journal"
    echo 1 >"$spool/$1"
    start bobbin run --spool-only
    check "$1: the job starts" wait_for 20 test -e "$work/holding"
    kill -KILL "$started"
    wait_for 20 ended "$started"
    check_not "$1: the trigger is no longer pending" test -e "$spool/$1"
}

instance 'channels: [ { id: 1, name: "demo", command: ["handlers/hold"] } ]'
killed_in_a_job one.json
check "the scheduler's lock is free although the job lives on" is_free "$spool/scheduler.lock"
check "the channel's lock is not" is_held "$spool/channels/1.lock"

try bobbin run --json
check "the next run warns that the channel is still busy" mentions ' warning .*demo'
equal "it starts no second job" "manual demo one.json" "$(cat "$work/journal")"
equal "it has no final record for the trigger yet" "" "$(record one.json .outcome)"
equal "it counts the trigger as deferred" 1 "$(json .triggers.deferred)"

touch "$work/release"
check "the orphan ends" wait_for 20 is_free "$spool/channels/1.lock"
try bobbin run --spool-only --json
equal "the run after that finishes the trigger" 1 "$(json .triggers.succeeded)"
equal "as the second attempt" "2 succeeded" "$(record one.json '"\(.attempt) \(.outcome)"')"
check "nothing is left over" at_rest

# --- A channel that must not be repeated.
instance 'channels: [ { id: 1, name: "demo", command: ["handlers/hold"], rerun: false } ]'
killed_in_a_job once.json
touch "$work/release"
wait_for 20 is_free "$spool/channels/1.lock"
try bobbin run --spool-only --json
equal "rerun: false fails it as interrupted" interrupted "$(record once.json .outcome)"
check "in failed/" test -e "$spool/failed/once.json"
equal "without running it again" "manual demo once.json" "$(cat "$work/journal")"

# --- Crash upon crash.
instance 'max_attempts: 2, channels: [ { id: 1, name: "demo", command: ["handlers/hold"] } ]'
killed_in_a_job again.json
touch "$work/release"
wait_for 20 is_free "$spool/channels/1.lock"
rm "$work/holding" "$work/release"
start bobbin run --spool-only
check "the second attempt starts" wait_for 20 test -e "$work/holding"
kill -KILL "$started"
wait_for 20 ended "$started"
touch "$work/release"
wait_for 20 is_free "$spool/channels/1.lock"
try bobbin run --spool-only --json
equal "after max_attempts it is failed as interrupted" interrupted "$(record again.json .outcome)"
check "nothing is left over" at_rest

# --- SIGTERM is no crash: the job is ended, the trigger goes back.
instance 'channels: [ { id: 1, name: "demo", command: ["handlers/hold"] } ]'
rm -f "$work/holding" "$work/release"
echo 1 >"$spool/term.json"
start bobbin run --spool-only
check "the job starts" wait_for 20 test -e "$work/holding"
kill -TERM "$started"
join "$started"
equal "SIGTERM ends the batch with 143" 143 "$status"
check "its job is gone with it" is_free "$spool/channels/1.lock"
check "the trigger is pending again" test -e "$spool/term.json"
touch "$work/release"
try bobbin run --spool-only --json
equal "the next run works it off" "0 1" "$status $(json .triggers.succeeded)"
check "nothing is left over" at_rest

finished

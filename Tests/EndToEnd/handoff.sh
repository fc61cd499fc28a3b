# A trigger while a scheduled run is on: it is queued, executed by that run after the scheduled channels, in the order
# of the file names; one that is too old is expired.
# shellcheck source=lib.bash
. "$(dirname "${BASH_SOURCE[0]}")/lib.bash"
need jq
standard_jobs
instance 'channels: [
    { id: 1, name: "first", command: ["handlers/hold"] },
    { id: 2, name: "second", command: ["handlers/note"] } ]'

start bobbin run --json
check "a scheduled run starts its first channel" wait_for 20 test -e "$work/holding"

echo 2 >"$spool/b.json"
echo 2 >"$spool/a.json"
echo 2 >"$spool/10.json"
echo 2 >"$spool/9.json"
try bobbin trigger second --user anna --json
equal "a trigger meanwhile is accepted" 0 "$status"
equal "and answered with the documented words" \
    '{"download_history_id":null,"error_message":null,"message":"Scheduled job in progress. Manual download queued.","position":2,"status":"queued","success":null,"videos_downloaded":null}' \
    "$(jq -cS 'del(.trigger)' "$work/out")"
queued=$(json .trigger)
check "its file is in the spool" test -f "$spool/$queued"

try bobbin queue --json
equal "bobbin queue lists them in byte order" "1 10.json,2 $queued,3 9.json,4 a.json,5 b.json" \
    "$(jq -rs 'flatten | map("\(.position) \(.trigger)") | join(",")' "$work/out")"
try bobbin status --json
check "bobbin status says that a run is on" holds '[.. | strings] | index("running") != null'

touch "$work/release"
join "$started"
equal "the run ends well" 0 "$status"
equal "scheduled channels come first, then the triggers by name" \
    "scheduled first -
scheduled second -
manual second 10.json
manual second $queued
manual second 9.json
manual second a.json
manual second b.json" "$(cat "$work/journal")"
equal "the run counts them" "2 5" "$(json '"\(.channels.succeeded) \(.triggers.succeeded)"')"
equal "each has one final record" 5 "$(jq -r 'select(.kind == "manual") | .trigger' "$spool/history.jsonl" | sort | uniq -u | wc -l)"
check "nothing is left for the next run" at_rest

# --- Too old.
: >"$work/journal"
echo 2 >"$spool/old.json"
touch -d '31 minutes ago' "$spool/old.json"
echo 2 >"$spool/young.json"
touch -d '29 minutes ago' "$spool/young.json"
try bobbin run --spool-only --json
equal "one of two triggers is expired" "1 1" "$(json '"\(.triggers.expired) \(.triggers.succeeded)"')"
check "the file itself is in expired/" grep -qx 2 "$spool/expired/old.json"
equal "its record says so" expired "$(record old.json .outcome)"
check "a warning gives its time and its age" mentions \
    "^[0-9T:.-]+Z warning .*old\.json.*$(date -u -d '31 minutes ago' +%Y-%m-%dT%H:).*31 ?m"
equal "the younger one alone was run" "manual second young.json" "$(cat "$work/journal")"

# --- An enabled channel is not needed for the spool to be worked off, nor is a run for a trigger.
rm -f "$work/holding" "$work/release"
start bobbin trigger first --json
check "a trigger on an idle spool runs at once" wait_for 20 test -e "$work/holding"
start bobbin run --json --wait 30s
waiting=$started
try bobbin trigger second --json
equal "a second one is queued meanwhile" queued "$(json .status)"
touch "$work/release"
join "$waiting"
equal "a scheduled run waits for a manual one instead of giving up" 0 "$status"
check "nothing is left over" at_rest

finished

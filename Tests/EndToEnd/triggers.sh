# Everything that people and programs may drop into the spool, with the tools they would use.
# shellcheck source=lib.bash
. "$(dirname "${BASH_SOURCE[0]}")/lib.bash"
need jq mkfifo
standard_jobs
instance 'settle: "1s",
channels: [ { id: 1, name: "demo", command: ["handlers/note"] } ]'

# counted NAME: how often the trigger's job was run.
counted() { grep -c -F -- "manual demo $1" "$work/journal"; }

# --- Well-formed, one by one in the same spool. The first drop is an empty file: only its age or a lease can tell
# that it is complete.
touch "$spool/1.json"
touch "$spool/demo.json"
touch "$spool/20260131T103000.000000Z-1.json" # the time in the name makes this one stale
echo 1 >"$spool/a.json"
echo '"demo"' >"$spool/b.json"
echo '{"channel":"demo"}' >"$spool/c.json"
echo '{"channel_id": 1, "user": "anna", "colour": "blue"}' >"$spool/d.json"
echo '{"channel":"demo"}' >"$spool/.e.json.tmp" && mv "$spool/.e.json.tmp" "$spool/e.json"
echo '{"channel":"demo"}' >"$spool/note.txt"
echo '{"channel":"demo"}' >"$spool/.hidden.json"

try bobbin run --json
equal "all well-formed triggers succeed" 7 "$(json .triggers.succeeded)"
for name in 1 a b c d demo e; do
    check "$name.json has its result in done/" holds '.status == "completed" and .success' "$spool/done/$name.json"
    equal "$name.json ran once and has one record" "1 succeeded" "$(counted "$name.json") $(record "$name.json" .outcome)"
done
equal "the user that a trigger names is in the history" anna "$(record d.json .user)"
equal "a time in the file name counts" expired "$(record 20260131T103000.000000Z-1.json .outcome)"
check "names that are not *.json, or begin with a dot, are left alone" \
    test -e "$spool/note.txt" -a -e "$spool/.hidden.json"
check "nothing is left over" at_rest
rm "$spool/note.txt" "$spool/.hidden.json"

# --- A channel that does not exist, or is switched off: failed, and the others still run.
: >"$work/journal"
instance 'settle: "1s",
channels: [ { id: 1, name: "demo", command: ["handlers/note"] },
            { id: 2, name: "off", command: ["handlers/note"], enabled: false } ]'
echo 99 >"$spool/f.json"
echo '"nosuch"' >"$spool/g.json"
touch "$spool/off.json"
echo 1 >"$spool/h.json"
try bobbin run --json
equal "a failed trigger makes the exit status 1" 1 "$status"
for name in f g off; do
    check "$name.json ends in failed/ with a message" holds '.success == false and (.error_message | length > 0)' "$spool/failed/$name.json"
done
check "the message names the channel" holds '.error_message | test("nosuch")' "$spool/failed/g.json"
check "the next one succeeds all the same" test -e "$spool/done/h.json"

# --- Files that cannot be triggers.
echo 'not a trigger' >"$work/elsewhere"
ln -s "$work/elsewhere" "$spool/link.json"
ln "$work/elsewhere" "$spool/hard.json"
mkfifo "$spool/pipe.json"
mkdir "$spool/folder.json"
echo '{"channel":' >"$spool/half.json"
echo '1 1' >"$spool/two.json"
echo '{"channel_id": "one"}' >"$spool/type.json"
printf '{"channel":"de\\u0001mo"}' >"$spool/control.json"
head -c 70000 /dev/zero | tr '\0' ' ' >"$spool/large.json"
try bobbin run --json
equal "what cannot be a trigger is in rejected/" \
    "control.json folder.json half.json hard.json large.json link.json pipe.json two.json type.json" "$(names "$spool/rejected")"
check "moved as it was, never followed" test -L "$spool/rejected/link.json" -a -p "$spool/rejected/pipe.json" \
    -a -d "$spool/rejected/folder.json" -a "$(cat "$work/elsewhere")" = 'not a trigger'
equal "each has one record" 9 "$(jq -r 'select(.outcome == "rejected") | .trigger' "$spool/history.jsonl" | sort | uniq -u | wc -l)"
check "and each record a reason" holds 'select(.outcome == "rejected") | .error_message | length > 0' "$spool/history.jsonl"
check "nothing is left over" at_rest

# A name that was rejected before does not replace what is there.
mkdir "$spool/folder.json"
try bobbin run
check "a second one of the same name gets .2" test -d "$spool/rejected/folder.json.2"

# --- Names.
long=$(printf 'x%.0s' {1..250}).json # 255 bytes, as long as a name can be
echo 1 >"$spool/$long"
echo 1 >"$spool/-n.json"
echo 1 >"$spool/a b *.json"
echo 1 >"$spool/"$'\xff.json'
echo 1 >"$spool/"$'line\nbreak.json'
: >"$work/journal"
try bobbin run --json
check "a dash, blanks and a star in a name are only a name" test -e "$spool/done/-n.json" -a -e "$spool/done/a b *.json"
finals() { find "$spool/done" "$spool/failed" "$spool/rejected" -mindepth 1 -maxdepth 1 -name "$1" -printf x | wc -c; }
equal "a name of 255 bytes reaches an end" 1 "$(finals 'xxx*')"
equal "a name that is not UTF-8 reaches an end" 1 "$(LC_ALL=C finals $'\xff*')"
equal "and is given in base64 too" "$(printf '\xff.json' | base64)" \
    "$(jq -r 'select(.trigger_b64) | .trigger_b64' "$spool/history.jsonl" | grep -x -F "$(printf '\xff.json' | base64)")"
equal "a name with a line break reaches an end" 1 "$(finals $'line\nbreak*')"
check "every line of the history is a JSON object" holds 'type == "object"' "$spool/history.jsonl"
check "nothing is left over" at_rest

# --- A slow writer: half an object, a pause longer than `settle` with the file held open, and the rest. The pause is
# what is tested here, so it is a real one.
: >"$work/journal"
exec 3>"$spool/slow.json"
printf '{"channel":' >&3
start bobbin run --json
sleep 4
check "half an object is not run while its writer has it open" test -e "$spool/slow.json"
check_not "nor given up" test -e "$spool/rejected/slow.json" -o -e "$spool/failed/slow.json"
printf '"demo"}\n' >&3
exec 3>&-
join "$started"
equal "the run that found it half-written ends well" 0 "$status"
equal "when it is complete it is run, once" "1 succeeded" "$(counted slow.json) $(record slow.json .outcome)"

# The same with a writer that leaves the file closed between its two halves, as `cat a >>x; cat b >>x` would, but faster
# than `settle`. What it has written meanwhile would be a channel's number by itself.
start sh -c "printf 1 >'$spool/split.json'; touch '$work/split'; sleep 0.3; printf ' ' >>'$spool/split.json'"
wait_for 20 test -e "$work/split"
try bobbin run --json
equal "a file written in two goes is run once" "succeeded" "$(record split.json .outcome)"
check "nothing is left over" at_rest

finished

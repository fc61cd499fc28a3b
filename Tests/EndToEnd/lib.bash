# The functions that the scenarios share. Each scenario begins with
#
#   . "$(dirname "${BASH_SOURCE[0]}")/lib.bash"
#
# runs in its own empty directory, and ends with `finished`.

set -u
suite=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
project=$(cd "$suite/../.." && pwd)
scenario=$(basename "$0" .sh)
work=$PWD
spool=$work/spool
library=$work/library
config=$work/etc/bobbin.json5

# --- Checks: each prints one line, and the details if it fails.

ok() { printf 'ok - %s: %s\n' "$scenario" "$1"; }

# not_ok DESCRIPTION: also shows the output of the last command.
not_ok() {
    printf 'not ok - %s: %s\n' "$scenario" "$1"
    if [ -s "$work/out" ]; then sed 's/^/#   stdout: /' "$work/out" | head -n 40; fi
    if [ -s "$work/err" ]; then sed 's/^/#   stderr: /' "$work/err" | head -n 40; fi
}

# check DESCRIPTION COMMAND…: the command must succeed.
check() {
    local description=$1
    shift
    if "$@" >/dev/null 2>&1; then
        ok "$description"
    else
        not_ok "$description"
        printf '#   failed:%s\n' "$(printf ' %q' "$@")"
    fi
}

# check_not DESCRIPTION COMMAND…: the command must fail.
check_not() {
    local description=$1
    shift
    check "$description" not "$@"
}
not() { ! "$@"; }

# equal DESCRIPTION EXPECTED ACTUAL
equal() {
    if [ "$2" = "$3" ]; then
        ok "$1"
    else
        not_ok "$1"
        printf '#   expected: %s\n#   actual:   %s\n' "${2//$'\n'/$'\n#             '}" "${3//$'\n'/$'\n#             '}"
    fi
}

# need PROGRAM…: ends the scenario as failed if a program is missing.
need() {
    local program missing=0
    for program in "$@"; do
        if ! command -v "$program" >/dev/null; then
            not_ok "needs $program, which is not on PATH"
            missing=1
        fi
    done
    if [ $missing -ne 0 ]; then finished; fi
}

finished() {
    printf '# end of %s\n' "$scenario"
    exit 0
}

# --- Waiting: for an event, with a time limit.

# wait_for SECONDS COMMAND…: repeats the command until it succeeds; fails when the time is up.
wait_for() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        if [ $SECONDS -ge $deadline ]; then return 1; fi
        sleep 0.05
    done
}

# --- Processes.

background=()
declare -A output # by process id: the path of its standard output and standard error, without .out and .err

# start COMMAND…: starts it in the background, and sets $started to its process id. `start bobbin …` starts the program
# itself, without a shell in between, so that a signal to $started reaches it.
start() {
    local to=$work/background.${#background[@]}
    if [ "$1" = bobbin ]; then
        shift
        set -- "$BOBBIN" --config "$config" "$@"
    fi
    "$@" >"$to.out" 2>"$to.err" </dev/null &
    started=$!
    background+=("$started")
    output[$started]=$to
}

# ended PID: whether a background process has ended. bash reaps its children by itself, so the id is then free.
ended() { ! kill -0 "$1" 2>/dev/null; }

# join PID [SECONDS]: waits for a background process, and then sets its output and $status as `try` does. The status is
# 124 if the process did not end in time.
join() {
    if wait_for "${2:-60}" ended "$1"; then
        wait "$1"
        status=$?
    else
        status=124
    fi
    cp "${output[$1]}.out" "$work/out"
    cp "${output[$1]}.err" "$work/err"
}

clean_up() {
    local pid
    # All jobs of the scenarios end by themselves when this file appears.
    touch "$work/release"
    # TERM first, so that a batch can end its job. A process that does not heed it is killed.
    for pid in ${background[@]+"${background[@]}"}; do kill -TERM "$pid" 2>/dev/null; done
    for pid in ${background[@]+"${background[@]}"}; do
        wait_for 15 ended "$pid" || kill -KILL "$pid" 2>/dev/null
    done
}
trap clean_up EXIT
trap 'exit 143' TERM
trap 'exit 130' INT

# --- Bobbin.

# instance TEXT: makes an instance in $work whose configuration contains the paths and TEXT.
instance() {
    mkdir -p "$work/etc" "$spool" "$library"
    printf '{ spool: "../spool", library: "../library",\n%s\n}\n' "$1" >"$config"
}

# job NAME: makes an executable from standard input, in etc/handlers like a channel's handler.
job() {
    mkdir -p "$work/etc/handlers"
    cat >"$work/etc/handlers/$1"
    chmod 755 "$work/etc/handlers/$1"
}

# standard_jobs: makes two jobs. `note` adds a line about itself to $work/journal, and counts as one item. `hold` does
# the same, then makes $work/holding, and ends when $work/release appears.
standard_jobs() {
    local note="printf '%s %s %s\\n' \"\$BOBBIN_KIND\" \"\$BOBBIN_CHANNEL\" \"\${BOBBIN_TRIGGER:--}\" >>'$work/journal'"
    job note <<EOF
#!/bin/sh
$note
echo item
EOF
    # The job ends after a minute at most, so that it does not outlive the suite.
    job hold <<EOF
#!/bin/sh
$note
: >'$work/holding'
for i in \$(seq 1200); do
    if [ -e '$work/release' ]; then echo item; exit 0; fi
    sleep 0.05
done
exit 1
EOF
    : >"$work/journal"
}

bobbin() { timeout --kill-after=10 120 "$BOBBIN" --config "$config" "$@"; }

# try COMMAND…: runs it, with standard output in $work/out, standard error in $work/err, exit status in $status.
try() {
    "$@" >"$work/out" 2>"$work/err" </dev/null
    status=$?
}

# json FILTER: applies the filter to the last command's standard output. Prints "-" if that is not JSON.
json() { jq -r "$1" <"$work/out" 2>/dev/null || echo -; }

# holds FILTER [FILE]: whether the filter is true for a JSON document (the last command's standard output by default).
# Unlike jq -e, it fails for an empty file. For JSON lines the filter must be true for each line.
holds() {
    local answers
    answers=$(jq "$1" "${2:-$work/out}" 2>/dev/null) && [ "$(sort -u <<<"$answers")" = true ]
}

# is_held LOCK, is_free LOCK: the status 42 distinguishes a lock that is held from a file that flock cannot open.
is_held() {
    flock --nonblock --conflict-exit-code 42 "$1" true
    [ $? -eq 42 ]
}
is_free() { flock --nonblock "$1" true; }

# record NAME FILTER: applies the filter to the history records of a trigger, one line for each.
record() { jq -r --arg name "$1" "select(.trigger == \$name) | $2" "$spool/history.jsonl" 2>/dev/null; }

# names DIRECTORY: the names in it without dot-files, in byte order, on one line.
names() { (cd "$1" 2>/dev/null && LC_ALL=C ls) | tr '\n' ' ' | sed 's/ $//'; }

# mentions PATTERN: whether the last command's standard error has a line that matches.
mentions() { grep -Eq -- "$1" "$work/err"; }

empty() { [ -z "$(names "$1")" ]; }

# at_rest: whether nothing is pending or claimed.
at_rest() {
    [ -z "$(cd "$spool" && LC_ALL=C ls -- *.json 2>/dev/null)" ] &&
        [ -z "$(find "$spool/running" -mindepth 1 ! -type d 2>/dev/null)" ]
}

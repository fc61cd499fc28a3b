# What the scenarios share. Each begins with
#
#   . "$(dirname "${BASH_SOURCE[0]}")/lib.bash"
#
# runs in an empty directory of its own, and ends with `finished`.

set -u
suite=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
project=$(cd "$suite/../.." && pwd)
scenario=$(basename "$0" .sh)
work=$PWD
spool=$work/spool
library=$work/library
config=$work/etc/bobbin.json5

# --- Checks: each prints one line, and on failure what there is to know.

ok() { printf 'ok - %s: %s\n' "$scenario" "$1"; }

# not_ok DESCRIPTION: also shows what the last command said.
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

# need PROGRAM…: a missing program ends the scenario as failed.
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

# --- Waiting: for an event, and never for ever.

# wait_for SECONDS COMMAND…: until the command succeeds; fails when the time is up.
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
declare -A output # by process id: where its standard output and standard error go, less .out and .err

# start COMMAND…: in the background; sets $started to its process id. `start bobbin …` is the program itself,
# with nothing in between, so that a signal for $started reaches it.
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

# ended PID: whether a background process is over. bash reaps its children by itself, so the id is free then.
ended() { ! kill -0 "$1" 2>/dev/null; }

# join PID [SECONDS]: waits for a background process, and then has its output and $status as after `try`. The
# status is 124 if it went on for too long.
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
    # The jobs that the scenarios start stop by themselves when this file appears, whoever started them.
    touch "$work/release"
    # TERM first, so that a batch can end its job; what does not heed it is killed.
    for pid in ${background[@]+"${background[@]}"}; do kill -TERM "$pid" 2>/dev/null; done
    for pid in ${background[@]+"${background[@]}"}; do
        wait_for 15 ended "$pid" || kill -KILL "$pid" 2>/dev/null
    done
}
trap clean_up EXIT
trap 'exit 143' TERM
trap 'exit 130' INT

# --- Bobbin.

# instance TEXT: an instance in $work whose configuration is TEXT between the braces, next to the paths.
instance() {
    mkdir -p "$work/etc" "$spool" "$library"
    printf '{ spool: "../spool", library: "../library",\n%s\n}\n' "$1" >"$config"
}

# job NAME: makes an executable of the standard input, below etc/ like a channel's handler.
job() {
    mkdir -p "$work/etc/handlers"
    cat >"$work/etc/handlers/$1"
    chmod 755 "$work/etc/handlers/$1"
}

# standard_jobs: `note` writes down what it was run for, in $work/journal, and counts as one item;
# `hold` does the same, then says so by making $work/holding, and ends when $work/release appears.
standard_jobs() {
    local note="printf '%s %s %s\\n' \"\$BOBBIN_KIND\" \"\$BOBBIN_CHANNEL\" \"\${BOBBIN_TRIGGER:--}\" >>'$work/journal'"
    job note <<EOF
#!/bin/sh
$note
echo item
EOF
    # A minute at most, so that no job outlives the suite even if it is forgotten.
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

# try COMMAND…: standard output in $work/out, standard error in $work/err, exit status in $status.
try() {
    "$@" >"$work/out" 2>"$work/err" </dev/null
    status=$?
}

# json FILTER: of the last command's standard output. No answer is not an answer: then "-".
json() { jq -r "$1" <"$work/out" 2>/dev/null || echo -; }

# holds FILTER [FILE]: whether a JSON document (the last command's standard output) makes the filter true. Unlike jq -e
# it is not content with an empty file. For JSON lines the filter must be true of each.
holds() {
    local answers
    answers=$(jq "$1" "${2:-$work/out}" 2>/dev/null) && [ "$(sort -u <<<"$answers")" = true ]
}

# is_held LOCK, is_free LOCK: 42 tells a lock that is held from one that flock cannot open.
is_held() {
    flock --nonblock --conflict-exit-code 42 "$1" true
    [ $? -eq 42 ]
}
is_free() { flock --nonblock "$1" true; }

# record NAME FILTER: of the final history records of a trigger, one line each.
record() { jq -r --arg name "$1" "select(.trigger == \$name) | $2" "$spool/history.jsonl" 2>/dev/null; }

# names DIRECTORY: what is in it but dot-files, in byte order, on one line.
names() { (cd "$1" 2>/dev/null && LC_ALL=C ls) | tr '\n' ' ' | sed 's/ $//'; }

# mentions PATTERN: whether the last command's standard error has a line like it.
mentions() { grep -Eq -- "$1" "$work/err"; }

empty() { [ -z "$(names "$1")" ]; }

# Nothing pending, nothing claimed.
at_rest() {
    [ -z "$(cd "$spool" && LC_ALL=C ls -- *.json 2>/dev/null)" ] &&
        [ -z "$(find "$spool/running" -mindepth 1 ! -type d 2>/dev/null)" ]
}

# Programs whose exit status alone does not say whether a job has succeeded, with the settings that etc/bobbin.json5
# suggests for them.
# shellcheck source=lib.bash
. "$(dirname "${BASH_SOURCE[0]}")/lib.bash"
need yt-dlp rsync aria2c wget python3 jq

start python3 "$suite/feed-server.py" "$work/port"
wait_for 20 test -s "$work/port" || not_ok "the feed server starts"
site=http://127.0.0.1:$(cat "$work/port")

# The machine's proxies must not be used for loopback, and a person's settings would change the outcome.
export no_proxy=127.0.0.1 HOME=$work XDG_CONFIG_HOME=$work/no-settings LC_ALL=C

# The last channel id, so that each job has a channel of its own.
number=0

# channel NAME COMMAND SETTINGS: configures one channel.
channel() {
    number=$((number + 1))
    instance "defaults: { retry_delay: \"1s\", timeout: \"2m\" },
    channels: [ { id: $number, name: \"$1\", command: [$2], ${3-} } ]"
}

# last_job: the outcome, the items, the warnings and the error message of the last job.
last_job() {
    jq -r 'select(.kind == "scheduled") | [.outcome, .videos_downloaded, .warnings, .error_message // "-"] | join(" ")' \
        "$spool/history.jsonl" | tail -n 1
}

# job_ends EXPECTED DESCRIPTION: runs the channel, and checks how its job has ended: a pattern of case.
job_ends() {
    local expected=$1 actual
    try bobbin run
    actual=$(last_job)
    # shellcheck disable=SC2254 # A pattern.
    case $actual in
        $expected) ok "$2" ;;
        *) equal "$2" "$expected" "$actual" ;;
    esac
}

# The suggestions, without the slashes in front of them: suggested PROGRAM.
suggested() { sed -n "s|^ *//   $1: *||p" "$project/etc/bobbin.json5"; }

# --- yt-dlp: 101 says that it stopped as it was told to.

ytdlp='"yt-dlp", "--ignore-config", "--no-progress", "--no-simulate", "--print", "after_move:filepath", "-P", "{dir}",
    "--download-archive", "{dir}/../archive.txt"'
settings=$(suggested yt-dlp)
check "the shipped configuration has settings for yt-dlp" grep -q success <<<"$settings"

channel plain "$ytdlp, \"--max-downloads\", \"2\", \"$site/feed.xml\""
job_ends "failed 2 0 exit status 101*" "without settings, yt-dlp fails after --max-downloads"
rm -f "$library/archive.txt"
channel most "$ytdlp, \"--max-downloads\", \"2\", \"$site/feed.xml\"" "$settings"
job_ends "succeeded 2 0 -" "yt-dlp succeeds after --max-downloads"
channel existing "$ytdlp, \"--break-on-existing\", \"$site/feed.xml\"" "$settings"
job_ends "succeeded 0 0 -" "yt-dlp succeeds at --break-on-existing"
rm -f "$library/archive.txt"
channel unsettled "$ytdlp, \"$site/partial.xml\""
job_ends "failed 2 0 exit status 1: ERROR: *HTTP Error 404*" "without settings, one item of three that is gone is a failure"
rm -f "$library/archive.txt"
channel partial "$ytdlp, \"$site/partial.xml\"" "$settings"
job_ends "succeeded 2 1 -" "one item of three that is gone is a warning"
check "the run names the warning" grep -q '; warnings: 1$' "$work/out"
try bobbin history --channel partial
check "the history shows the warning" grep -q '1 warning$' "$work/out"
channel absent "$ytdlp, \"$site/busy.xml\"" "$settings"
job_ends "failed 0 0 exit status 1: ERROR: *HTTP Error 503*" "a feed that cannot be had is a failure, with its last error"

# --- rsync: 24 says that files vanished, and 23 that some were not copied. `-i` prints a line for each change.

settings=$(suggested rsync)
check "the shipped configuration has settings for rsync" grep -q items <<<"$settings"
mkdir -p "$work/feed/folder"
echo a >"$work/feed/a"
echo b >"$work/feed/folder/b"

channel copy "\"rsync\", \"-rti\", \"$work/feed/\", \"{dir}/\"" "$settings"
job_ends "succeeded 2 0 -" "rsync copies two files, and its folder is not an item"
channel missing "\"rsync\", \"-rti\", \"$work/feed/\", \"$work/none\", \"{dir}/\"" "$settings"
job_ends "failed 2 0 exit status 23: rsync: *link_stat*/none* failed: No such file or directory*" \
    "a source of rsync that is missing is a failure, and the message is not rsync's last line"
channel tolerated "\"rsync\", \"-rti\", \"$work/feed/\", \"$work/none\", \"{dir}/\"" \
    "$settings tolerate: [\"No such file or directory\"],"
job_ends "succeeded 2 1 -" "a source of rsync that is missing is a warning where it is tolerated"

# The list of files is complete when the first is being copied, which takes seconds; another is then removed.
head -c 3000000 /dev/zero >"$work/feed/a"
echo z >"$work/feed/z"
channel vanished "\"rsync\", \"-rti\", \"--bwlimit=1000\", \"$work/feed/\", \"{dir}/\"" "$settings"
start bobbin run
is_copying() { compgen -G "$library/vanished/.a.*"; }
check "rsync copies the first file" wait_for 60 is_copying
rm "$work/feed/z"
join "$started"
equal "rsync succeeds when a file vanishes" "0 succeeded 2 0 -" "$status $(last_job)"
check "rsync says that a file vanished" grep -q 'code 24' "$spool/logs/$(jq -r 'select(.channel == "vanished") | .id' "$spool/history.jsonl").log"

# --- aria2c: writes its errors to standard output, after a table of the downloads.

settings=$(suggested aria2c)
check "the shipped configuration has settings for aria2c" grep -q items <<<"$settings"
aria='"aria2c", "--no-conf", "--console-log-level=error", "--summary-interval=0", "--download-result=full", "-Z", "-d", "{dir}"'

channel fetched "$aria, \"$site/1.wav\", \"$site/2.wav\"" "$settings"
job_ends "succeeded 2 0 -" "aria2c fetches two files"
channel lost "$aria, \"$site/1.wav\", \"$site/4.wav\"" "$settings"
job_ends "failed 1 0 *errorCode=3 Resource not found" "a file that is gone is a failure of aria2c, with a message"

# --- wget: writes a line for each file to its log, `-o -` to standard output.

settings=$(suggested wget)
check "the shipped configuration has settings for wget" grep -q items <<<"$settings"
wget='"wget", "--no-config", "-nv", "-P", "{dir}"'

channel got "$wget, \"-o\", \"-\", \"$site/1.wav\", \"$site/2.wav\"" "$settings"
job_ends "succeeded 2 0 -" "wget fetches two files"
channel half "$wget, \"-o\", \"-\", \"$site/1.wav\", \"$site/4.wav\"" "$settings"
job_ends "failed 1 0 *ERROR 404: Not Found." "a file that is gone is a failure of wget, with a message"
channel forgiven "$wget, \"$site/1.wav\", \"$site/4.wav\"" \
    "error_line: \"ERROR [0-9]+:|failed: \", tolerate: [\"ERROR 404:\"],"
job_ends "succeeded 0 1 -" "a file that is gone is a warning of wget where it is tolerated"
channel refused "$wget, \"http://127.0.0.1:1/1.wav\"" \
    "error_line: \"ERROR [0-9]+:|failed: \", tolerate: [\"ERROR 404:\"],"
job_ends "failed 0 0 exit status 4: failed: Connection refused." "a server of wget that does not answer is a failure"

finished

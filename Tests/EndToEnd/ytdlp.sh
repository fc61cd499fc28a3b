# The real yt-dlp fetches from a real feed, with the command line that etc/bobbin.json5 ships.
# shellcheck source=lib.bash
. "$(dirname "${BASH_SOURCE[0]}")/lib.bash"
need yt-dlp python3 jq

start python3 "$suite/feed-server.py" "$work/port"
wait_for 20 test -s "$work/port" || not_ok "the feed server starts"
site=http://127.0.0.1:$(cat "$work/port")

# The machine's proxies must not be used for loopback, and a person's yt-dlp settings would change the outcome.
export no_proxy=127.0.0.1 HOME=$work XDG_CONFIG_HOME=$work/no-settings

# The shipped entry of `commands`, from its key to its closing bracket.
shipped=$(sed -n '/^    ytdlp: \[/,/^    \],/p' "$project/etc/bobbin.json5")
check "the shipped configuration has the yt-dlp command" grep -q after_move <<<"$shipped"

# channels TEXT
channels() {
    instance "commands: { $shipped },
    defaults: { retry_delay: \"1s\", timeout: \"2m\" },
    channels: [ $1 ]"
}
cats="{ id: 7, name: \"cats\", url: \"$site/feed.xml\", command: \"ytdlp\" },"
episodes() { names "$library/$1" | sed 's/ archive.txt$//'; }
three="Episode 1 [episode-1].wav Episode 2 [episode-2].wav Episode 3 [episode-3].wav"

channels "$cats"
try bobbin run --json
equal "the first run exits 0" 0 "$status"
equal "the first run fetches three items" 3 "$(json .videos_downloaded)"
equal "the files are in the channel's folder" "$three" "$(episodes cats)"

try bobbin run --json
equal "the second run exits 0" 0 "$status"
equal "the second run fetches nothing" 0 "$(json .videos_downloaded)"

channels "{ id: 8, name: \"few\", url: \"$site/feed.xml\", command: \"ytdlp\", limit: 1 },"
try bobbin run --json
equal "limit: 1 fetches one item" 1 "$(json .videos_downloaded)"
equal "limit: 1 leaves one file" "Episode 1 [episode-1].wav" "$(episodes few)"

channels "{ id: 9, name: \"asked\", url: \"$site/feed.xml\", command: \"ytdlp\" },"
try bobbin trigger asked --user tester --json
equal "the trigger exits 0" 0 "$status"
equal "the trigger is completed at once" "completed true 3" "$(json '"\(.status) \(.success) \(.videos_downloaded)"')"
equal "its files are in the library" "$three" "$(episodes asked)"
equal "its document has exactly the documented fields" \
    "download_history_id,error_message,message,position,status,success,trigger,videos_downloaded" \
    "$(json 'keys | join(",")')"
name=$(json .trigger)
id=$(json .download_history_id)
equal "its history id is the one in the history" "$id" "$(record "$name" .id)"
try bobbin history --trigger "$name" --json
equal "bobbin history finds it" "$id succeeded 3 tester" \
    "$(json '"\(.id) \(.outcome) \(.videos_downloaded) \(.user)"')"
try bobbin log "$id"
equal "bobbin log shows the three paths" 3 "$(grep -c '\.wav$' "$work/out")"

# An entry of the archive is a line, so a guid that begins and ends with a line break would never be found there.
channels "{ id: 10, name: \"spaced\", url: \"$site/spaced.xml\", command: \"ytdlp\" },"
try bobbin run --json
equal "a feed with white space around its texts is fetched" "0 3" "$status $(json .videos_downloaded)"
equal "its files have clean names" "$three" "$(episodes spaced)"
try bobbin run --json
equal "and nothing of it is fetched again" "0 0" "$status $(json .videos_downloaded)"

channels "{ id: 4, name: \"gone\", url: \"$site/gone.xml\", command: \"ytdlp\", transient: [\"HTTP Error 5[0-9][0-9]\"] },
    { id: 5, name: \"late\", url: \"$site/feed.xml\", command: \"ytdlp\" },"
try bobbin run --json
equal "a missing feed makes the exit status 1" 1 "$status"
equal "one channel failed, the other succeeded" "1 1" "$(json '"\(.channels.failed) \(.channels.succeeded)"')"
equal "the other channel got its items" "$three" "$(episodes late)"
equal "the failure is recorded with yt-dlp's status and a message" "failed 1 true" \
    "$(jq -r 'select(.channel == "gone") | "\(.outcome) \(.exit_status) \(.error_message != null)"' "$spool/history.jsonl")"

channels "{ id: 6, name: \"flaky\", url: \"$site/busy-once.xml\", command: \"ytdlp\", transient: [\"HTTP Error 5[0-9][0-9]\"] },"
try bobbin run --json
equal "a 503 that passes is tried again" "0 3" "$status $(json .videos_downloaded)"

finished

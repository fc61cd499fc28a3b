#!/usr/bin/env bash
# yt-dlp never finds an RSS item in its download archive when the item's guid begins on a line of its own.
#
# yt-dlp 2026.10.26 (PyPI), `--download-archive`, a feed of two items. The guid of one item is on the line of its tag,
# the guid of the other is on a line of its own, as a program writes it that indents XML.
#
# What a person expects: the second run skips both items, because both are in the archive.
# What happens: the line break becomes a part of the archive entry, so that the entry takes up three lines. yt-dlp reads
# the archive line by line, never finds the entry, and processes the item again at every run, for ever. Each run appends
# the same three lines once more and prints the item again (`--print after_move:…`). The item whose guid is on one line
# is skipped. A program that counts what is printed as new items counts this item at every run.
#
#   findings/ytdlp-archive-forgets-multiline-guid.sh      needs python3 with venv; exits with 0 while this holds
set -euo pipefail

work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT

fail() {
    printf 'changed: %s\n' "$1" >&2
    exit 1
}

python3 -m venv "$work/venv"
timeout 180 "$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check 'yt-dlp==2026.10.26'

cat >"$work/serve.py" <<'END'
import http.server, io, pathlib, sys, wave

def sound(length):
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1); file.setsampwidth(1); file.setframerate(8000)
        file.writeframes(bytes([128]) * 800 * length)
    return buffer.getvalue()

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body, kind = sound(int(self.path[1]) if self.path[1].isdigit() else 1), "audio/x-wav"
        if self.path == "/feed.xml":
            site = "http://127.0.0.1:%d" % self.server.server_address[1]
            item = '<item><title>%s</title><guid isPermaLink="false">%s</guid><enclosure url="%s/%d.wav" length="900" type="audio/x-wav"/></item>'
            items = item % ("One", "one", site, 1) + item % ("Two", "\n        two\n      ", site, 2)
            body = ('<?xml version="1.0"?><rss version="2.0"><channel><title>Two items</title>%s</channel></rss>' % items).encode()
            kind = "application/rss+xml"
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)
    do_HEAD = do_GET
    def log_message(self, *_):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
pathlib.Path(sys.argv[1]).write_text(str(server.server_address[1]))
server.serve_forever()
END
python3 "$work/serve.py" "$work/port" &
server=$!
for _ in $(seq 100); do
    [ -s "$work/port" ] && break
    sleep 0.1
done
[ -s "$work/port" ] || fail "the feed is not served"

fetch() {
    timeout 60 "$work/venv/bin/yt-dlp" --ignore-config --quiet --no-warnings --no-simulate --no-progress \
        --download-archive "$work/archive.txt" --print after_move:title -o "$work/media/%(title)s.%(ext)s" \
        "http://127.0.0.1:$(cat "$work/port")/feed.xml" | sed 's/^ *//; s/ *$//' | sort
}

first=$(fetch)
second=$(fetch)
third=$(fetch)
printf 'printed by the runs: [%s] [%s] [%s]\n' "${first//$'\n'/ }" "$second" "$third"
printf 'the archive:\n'
sed 's/^/    |/' "$work/archive.txt"

[ "$first" = "$(printf 'One\nTwo')" ] || fail "the first run does not fetch both items"
[ "$second" = Two ] && [ "$third" = Two ] || fail "later runs do not process exactly the item with the line break again"
[ "$(grep -c '^ *two *$' "$work/archive.txt")" -eq 3 ] || fail "its entry is not appended at each run"
[ "$(grep -c '^generic one$' "$work/archive.txt")" -eq 1 ] || fail "the other item has not one entry"
printf 'It still holds: the item with a line break in its guid is processed at every run.\n'

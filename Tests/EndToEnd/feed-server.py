#!/usr/bin/env python3
"""Serves a podcast on loopback until it is killed: `feed-server.py PORTFILE`.

/feed.xml has three enclosures, small but real WAV files; /spaced.xml is the same with white space around each text;
/partial.xml is the same, but the second enclosure is missing; /busy-once.xml answers 503 the first time and the same
feed after that, /busy.xml each time; everything else is 404. The port is the kernel's choice, and is written to PORTFILE once
the server listens.
"""

import http.server
import io
import os
import sys
import wave

EPISODES = 3


def episode(number):
    """A short silence, longer for each episode so that no two files are the same."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(1)
        sound.setframerate(8000)
        sound.writeframes(bytes([128]) * 800 * number)
    return buffer.getvalue()


def feed(port, space="", missing=None):
    items = "".join(
        f"<item><title>{space}Episode {n}{space}</title><guid>{space}episode-{n}{space}</guid>"
        f'<enclosure url="http://127.0.0.1:{port}/{"missing" if n == missing else n}.wav" length="{len(episode(n))}" type="audio/x-wav"/></item>'
        for n in range(1, EPISODES + 1)
    )
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>{space}Cats{space}</title>{items}</channel></rss>'.encode()


class Handler(http.server.BaseHTTPRequestHandler):
    refused_once = False

    def answer(self):
        path = self.path
        if path == "/busy-once.xml" and not Handler.refused_once:
            Handler.refused_once = True
            return self.send_error(503)
        if path == "/busy.xml":
            return self.send_error(503)
        if path == "/partial.xml":
            return self.send("application/rss+xml", feed(self.server.server_port, missing=2))
        if path in ("/feed.xml", "/busy-once.xml"):
            return self.send("application/rss+xml", feed(self.server.server_port))
        if path == "/spaced.xml":
            return self.send("application/rss+xml", feed(self.server.server_port, space="\n   "))
        if path in [f"/{n}.wav" for n in range(1, EPISODES + 1)]:
            return self.send("audio/x-wav", episode(int(path[1:-4])))
        return self.send_error(404)

    def send(self, kind, body):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = answer


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
# Written under another name and renamed, so that a reader never sees half a number.
with open(sys.argv[1] + ".tmp", "w") as file:
    file.write(str(server.server_port))
os.rename(sys.argv[1] + ".tmp", sys.argv[1])
server.serve_forever()

#!/usr/bin/env python3
"""follow.py - the news in a terminal, with nothing but Python's own library.

    ./follow.py https://news.example --channels world,sport --cursor-file place

Reads Server-Sent Events from /v1/stream. A lost connection is tried again after a random wait, and goes on where it
was; with --cursor-file also the next day. Ctrl-C ends it.
"""
import argparse
import http.client
import json
import pathlib
import random
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

SILENCE_S = 60  # the server says something every 25 s; a line that is silent for longer is dead


def events(stream):
    """The events of a stream, as (id, data); either may be None (HTML standard, 9.2.6)."""
    place = data = None
    for line in stream:
        line = line.decode().rstrip("\r\n")
        if not line:
            yield place, data
            place = data = None
        elif line.startswith("id:"):
            place = line[3:].lstrip(" ")
        elif line.startswith("data:"):
            data = line[5:].lstrip(" ")


def show(message):
    """One line for a post."""
    item = message.get("item") or {}
    headlines = item.get("headlines") or [{}]
    words = {"kill": "WITHDRAWN", "hold": "WITHHELD", "remove": "gone", "correct": "corrected"}
    what = words.get(message["action"], message.get("class", ""))
    uri = item.get("uri") or message.get("uri")
    text = headlines[0].get("value") or message.get("notice") or uri
    print(f"{time.strftime('%H:%M:%S')}  {what:<9}  {text}  ({uri})", flush=True)


class Place:
    """Where this reader stands; with a file, for another day too."""

    def __init__(self, file):
        self.file = file
        self.cursor = file.read_text().strip() if file and file.exists() else None

    def move(self, cursor):
        self.cursor = cursor
        if self.file:  # which always holds a whole one
            draft = self.file.with_suffix(".new")
            draft.write_text(cursor)
            draft.replace(self.file)


def read(url, place):
    """Reads until the connection ends."""
    headers = {"Accept": "text/event-stream"}
    if place.cursor:
        headers["Last-Event-ID"] = place.cursor
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=SILENCE_S) as stream:
        for cursor, data in events(stream):
            message = json.loads(data) if data else {}
            if message.get("type") == "post":
                show(message)
            elif message.get("type") == "gap":
                print("some news was missed: read the feed anew", file=sys.stderr)
            if cursor:  # only now is everything before it dealt with
                place.move(cursor)


def main():
    parser = argparse.ArgumentParser(description="Follow the news of a newswired.")
    parser.add_argument("server")
    parser.add_argument("--channels", help="only these, with commas")
    parser.add_argument("--cursor-file", type=pathlib.Path, help="where the place is kept")
    asked = parser.parse_args()
    query = urllib.parse.urlencode({"channels": asked.channels} if asked.channels else {})
    url = f"{asked.server.rstrip('/')}/v1/stream?{query}"
    place = Place(asked.cursor_file)

    wait = 1.0
    while True:
        began = time.monotonic()
        try:
            read(url, place)
        except urllib.error.HTTPError as error:
            if 400 <= error.code < 500 and error.code not in (408, 425, 429):
                sys.exit(f"refused: {error.code} {error.read().decode(errors='replace')}")
        except (OSError, ValueError, http.client.HTTPException) as error:
            print(f"lost: {error}", file=sys.stderr)
        wait = 1.0 if time.monotonic() - began > 10 else min(wait * 2, 30)
        time.sleep(random.uniform(0, wait))  # not all readers at once


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass

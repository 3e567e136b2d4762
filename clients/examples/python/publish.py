#!/usr/bin/env python3
"""publish.py - one item over HTTP, until it is known what became of it; nothing but Python's own library.

    NEWSWIRE_KEY=… ./publish.py https://news.example story.json world sport

Prints the receipt. Exit status: 0 durable, 1 refused, 3 not known: then the same again is safe.
"""
import json
import os
import random
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

ATTEMPTS = int(os.environ.get("ATTEMPTS", 6))
LATER = {408, 425, 429}  # and all from 500 on: not now


def post(url, item, key, request_id):
    """One attempt: (status, body). 0 is no answer."""
    request = urllib.request.Request(url, data=item, method="POST", headers={
        "Content-Type": "application/json",
        "Authorization": f"Bearer {key}",
        "Idempotency-Key": f'"{request_id}"',  # a second time it is answered like the first
    })
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except OSError as error:
        return 0, str(error).encode()


def main():
    if len(sys.argv) < 3 or "NEWSWIRE_KEY" not in os.environ:
        sys.exit(__doc__)
    server, file, *channels = sys.argv[1:]
    with open(file, "rb") as source:
        item = source.read()
    query = urllib.parse.urlencode({"channels": ",".join(channels)} if channels else {})
    url, request_id = f"{server.rstrip('/')}/v1/items?{query}", uuid.uuid4()

    for attempt in range(ATTEMPTS):
        status, body = post(url, item, os.environ["NEWSWIRE_KEY"], request_id)
        if 200 <= status < 300:
            print(json.dumps(json.loads(body), indent=2, ensure_ascii=False))
            return 0
        if 400 <= status < 500 and status not in LATER:
            print(f"refused ({status}): {body.decode(errors='replace')}", file=sys.stderr)
            return 1
        time.sleep(random.uniform(0, min(2 ** attempt, 8)))
    print(f"not known whether it went out (last: {status} {body.decode(errors='replace')})", file=sys.stderr)
    return 3


if __name__ == "__main__":
    sys.exit(main())

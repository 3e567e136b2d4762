#!/bin/sh
# publish.sh - one item over HTTP, until it is known what became of it: sh and curl.
#
#   NEWSWIRE_KEY=… ./publish.sh https://news.example story.json world sport
#
# Says what the server did, as its receipt, and ends with 0 only if that is durable. 1: it was refused; 3: nobody knows.
set -eu
server=${1:?usage: publish.sh SERVER ITEM.json CHANNEL…}
item=${2:?usage: publish.sh SERVER ITEM.json CHANNEL…}
shift 2
channels=$(IFS=,; printf '%s' "$*")
: "${NEWSWIRE_KEY:?set NEWSWIRE_KEY to your publishing key}"

# The same request may go out several times, so it says which one it is. Headers come on standard input: `ps` shows arguments.
request=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
answer=$(mktemp)
trap 'rm -f "$answer"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

attempt=0
while :; do
	status=$(
		printf 'header = "Authorization: Bearer %s"\n' "$NEWSWIRE_KEY" |
			curl --config - --silent --max-time 30 --output "$answer" --write-out '%{http_code}' \
				--header 'Content-Type: application/json' --header "Idempotency-Key: \"$request\"" \
				--data-binary "@$item" "$server/v1/items?channels=$channels"
	) || status=000
	case $status in
	2??)
		cat "$answer"
		exit 0
		;;
	000 | 408 | 425 | 429 | 5??) # not reached, or not now: the same again is safe
		attempt=$((attempt + 1))
		if [ "$attempt" -ge "${ATTEMPTS:-6}" ]; then
			echo "publish.sh: no answer (last status $status): it is not known whether $item went out" >&2
			exit 3
		fi
		sleep "$attempt"
		;;
	*)
		echo "publish.sh: refused ($status):" >&2
		cat "$answer" >&2
		exit 1
		;;
	esac
done

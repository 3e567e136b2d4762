#!/bin/sh
# follow.sh - the news as lines of JSON, for as long as you like: sh, curl and sed.
#
#   ./follow.sh https://news.example 'channels=world,sport' | jq -r '.item.headlines[0].value // .action'
#
# Comes back by itself after a loss, and goes on where it was. With CURSOR_FILE=place it also does so the next day.
set -eu
server=${1:?usage: follow.sh SERVER [QUERY]}
query=${2:-}
place=${CURSOR_FILE:-$(mktemp)}
[ -n "${CURSOR_FILE:-}" ] || trap 'rm -f "$place" "$place.new"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
touch "$place"

# An event is lines, an empty one ends it (HTML, 9.2.6). `id:` is the place after it, so it is kept once its data went out.
events()
{
	carriage=$(printf '\r') id= data=
	while IFS= read -r line; do
		line=${line%"$carriage"}
		case $line in
		id:*) id=${line#id:} id=${id# } ;;
		data:*) data=${line#data:} data=${data# } ;;
		'')
			case $data in
			'{"type":"post"'* | '{"type":"gap"'*) printf '%s\n' "$data" ;;
			esac
			if [ -n "$id" ]; then # at once, whenever this is ended
				printf '%s' "$id" >"$place.new"
				mv "$place.new" "$place"
			fi
			id= data=
			;;
		esac
	done
}

wait=1
while :; do
	started=$(date +%s)
	# Nothing for a minute, though a tick comes every 25 s: the line is dead.
	curl --silent --no-buffer --fail --connect-timeout 10 --speed-limit 1 --speed-time 60 \
		--header 'Accept: text/event-stream' --header "Last-Event-ID: $(cat "$place")" \
		"$server/v1/stream?$query" | events
	if [ $(($(date +%s) - started)) -ge 10 ]; then
		wait=1
	elif [ "$wait" -lt 30 ]; then
		wait=$((wait * 2))
	fi
	# Not all at once: anything up to that long, in tenths of a second.
	tenths=$(awk -v most="$wait" 'BEGIN { srand(); print int(rand() * most * 10) }')
	sleep "$((tenths / 10)).$((tenths % 10))"
done

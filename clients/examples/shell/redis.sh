#!/bin/sh
# redis.sh - one item through Redis: sh and redis-cli.
#
#   ./redis.sh publish story.json world             all who listen get it now; nobody listens: it is lost
#   ./redis.sh inbox story.json world sport         it waits in Redis until a newswired has taken it
#
# Which Redis is said to redis-cli by REDIS_CLI, for example REDIS_CLI='redis-cli -s /run/newswire/redis.sock'. Neither way
# has a receipt: what was refused stands in the rejects (`newswire rejects`). Who must know posts over HTTP.
set -eu
way=${1:?usage: redis.sh publish|inbox ITEM.json CHANNEL…}
item=${2:?usage: redis.sh publish|inbox ITEM.json CHANNEL…}
shift 2
: "${1:?which channel?}"
redis=${REDIS_CLI:-redis-cli}

case $way in
publish)
	[ $# -eq 1 ] || { echo 'redis.sh: PUBLISH is for one channel; the inbox takes several' >&2; exit 2; }
	heard=$($redis -x PUBLISH "newswire:in:$1" <"$item")
	if [ "$heard" -ge 1 ] 2>/dev/null; then
		echo "heard by $heard"
	else
		echo "redis.sh: nobody has heard it: $heard" >&2
		exit 1
	fi
	;;
inbox)
	id=$($redis -x XADD '{newswire}:inbox' '*' channel "$*" item <"$item")
	case $id in
	*-*) echo "queued as $id" ;;
	*) echo "redis.sh: $id" >&2; exit 1 ;;
	esac
	;;
*)
	echo 'usage: redis.sh publish|inbox ITEM.json CHANNEL…' >&2
	exit 2
	;;
esac

#!/bin/sh
# superdesk.sh - sends what Superdesk's HTTP push sends, byte for byte: to see whether your newswired takes it.
#
#   SECRET=… ./superdesk.sh https://news.example/v1/items?channels=world item.json
#
# SECRET is the `secret` of a key (docs/keys.md). Superdesk takes any status below 400 for success, and so does this.
# While openssl runs, others on this machine may see the secret in the list of processes: for trying out only.
set -eu
url=${1:?usage: superdesk.sh URL ITEM.json}
item=${2:?usage: superdesk.sh URL ITEM.json}
: "${SECRET:?set SECRET to the secret token of the destination}"

signature=$(openssl dgst -sha1 -hmac "$SECRET" <"$item" | sed 's/^.* //')
answer=$(mktemp)
trap 'rm -f "$answer"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
status=$(curl --silent --max-time 10 --output "$answer" --write-out '%{http_code}' \
	--header 'Content-Type: application/json' --header "x-superdesk-signature: sha1=$signature" \
	--data-binary "@$item" "$url") || status=000
printf '%s ' "$status"
cat "$answer"
echo
[ "$status" -ge 200 ] && [ "$status" -lt 400 ]

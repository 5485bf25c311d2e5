#!/bin/sh
# Stores a file with curl alone, gets it back, compares, deletes it.
#   EDGE=http://127.0.0.1:8787 KEY=ftk_… sh examples/store-and-get.sh README.md
# What is stored this way is not encrypted: whoever knows the CID and has a key for this edge can read it.
set -eu
: "${EDGE:?URL of the edge}" "${KEY:?API key}" "${1:?a file}"

copy=$(mktemp)
trap 'rm -f "$copy"' EXIT

answer=$(curl -fsS -T "$1" -H "Authorization: Bearer $KEY" "$EDGE/v1/files?ttl=3600")
cid=$(printf %s "$answer" | sed 's/.*"cid":"\([a-z2-7]*\)".*/\1/')
echo "stored   $cid"

curl -fsS -H "Authorization: Bearer $KEY" "$EDGE/v1/files/$cid" -o "$copy"
cmp "$1" "$copy"
echo "got back $(wc -c <"$copy" | tr -d ' ') bytes, equal"

curl -fsS -X DELETE -H "Authorization: Bearer $KEY" "$EDGE/v1/files/$cid" >/dev/null
echo "deleted  $cid"

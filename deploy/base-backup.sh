#!/bin/sh
# Copy the whole cluster into the archive while it serves, where recovery begins; then remove the copies
# but the newest BASES_KEPT, and the log that none of those needs.
#   ARCHIVE  the folder of the archive
#   PG...    the address of the server and a role that may replicate (PGHOST, PGUSER ...)
set -eu
: "${ARCHIVE:?name the folder of the archive}"
case "$ARCHIVE" in /*) ;; *) echo "ARCHIVE must begin with /: $ARCHIVE" >&2; exit 1 ;; esac
[ -d "$ARCHIVE" ] || { echo "$ARCHIVE is not there: is its disk mounted?" >&2; exit 1; }
kept="${BASES_KEPT:-3}"
[ "$kept" -ge 1 ] || { echo "BASES_KEPT must be 1 or more" >&2; exit 1; }
umask 077
mkdir -p "$ARCHIVE/base" "$ARCHIVE/wal"
rm -rf "$ARCHIVE/base/unfinished"
pg_basebackup --pgdata="$ARCHIVE/base/unfinished" --checkpoint=fast --wal-method=stream \
  --manifest-checksums=SHA256 --no-password
pg_verifybackup --quiet "$ARCHIVE/base/unfinished"
# Named by when it was finished: it can recover to every later time.
name="$(date -u +%Y%m%dT%H%M%SZ)"
[ ! -e "$ARCHIVE/base/$name" ] || { echo "$ARCHIVE/base/$name is there already" >&2; exit 1; }
mv "$ARCHIVE/base/unfinished" "$ARCHIVE/base/$name"
sync "$ARCHIVE/base"
echo "$ARCHIVE/base/$name"

cd "$ARCHIVE/base"
# Their names are times, so they are in the order of their age.
for old in $(ls -d 2*Z | sort -r | tail -n "+$((kept + 1))"); do
  rm -rf "$old"
done
oldest="$(ls -d 2*Z | sort | head -n 1)"
first="$(sed -n 's/^START WAL LOCATION: .* (file \([0-9A-F]*\))$/\1/p' "$oldest/backup_label")"
[ -z "$first" ] || pg_archivecleanup "$ARCHIVE/wal" "$first"

#!/bin/sh
# Copy one finished file of the write-ahead log into the archive: the archive_command of PostgreSQL,
#   archive_command = 'sh .../archive.sh %p %f'    with ARCHIVE, the folder, in the environment.
# A file is complete there or not at all, is on the disk before this ends with 0, and is never
# replaced by another one. PostgreSQL keeps the file and tries again where this fails.
set -eu
: "${ARCHIVE:?name the folder of the archive}"
# PostgreSQL runs this in its data folder; a disk that is not mounted must not be taken for empty.
case "$ARCHIVE" in /*) ;; *) echo "ARCHIVE must begin with /: $ARCHIVE" >&2; exit 1 ;; esac
[ -d "$ARCHIVE" ] || { echo "$ARCHIVE is not there: is its disk mounted?" >&2; exit 1; }
kept="$ARCHIVE/wal/$2"
mkdir -p "$ARCHIVE/wal"
if [ -e "$kept" ]; then
  cmp -s "$1" "$kept" && exit 0 # a try of before that got further than PostgreSQL knows
  echo "$kept is there already and differs" >&2
  exit 1
fi
cp "$1" "$kept.unfinished"
sync "$kept.unfinished"
mv "$kept.unfinished" "$kept"
sync "$ARCHIVE/wal"

#!/bin/sh
# Prepare the data folder of a stopped PostgreSQL so that its next start recovers to a time.
#   PGDATA      the data folder; it is kept as PGDATA.before-<time of this run>
#   ARCHIVE     the folder of base-backup.sh and archive.sh
#   RECOVER_TO  the time, "2026-11-29 14:05:00+00"; "latest" for all that was archived
# Log that was not archived yet is taken from the old data folder, where that can still be read.
set -eu
: "${PGDATA:?name the data folder}" "${ARCHIVE:?name the folder of the archive}"
: "${RECOVER_TO:?name the time, as 2026-11-29 14:05:00+00, or latest}"
PGDATA="${PGDATA%/}"
stop() { echo "$*" >&2; echo "Nothing was changed." >&2; exit 1; }

# PostgreSQL reads the archive from its data folder: another path would lead elsewhere from there.
case "$ARCHIVE" in /*) ;; *) stop "ARCHIVE must begin with /: $ARCHIVE" ;; esac
case "$ARCHIVE" in *["'%"]*) stop "ARCHIVE must have neither ' nor %: $ARCHIVE" ;; esac
[ ! -e "$PGDATA/postmaster.pid" ] || stop \
  "$PGDATA/postmaster.pid is there: stop the database. Was it killed, and nothing of it runs? Remove that file."
if [ "$RECOVER_TO" = latest ]; then
  until=99991231T235959Z
  target="recovery_target_timeline = 'latest'"
else
  case "$RECOVER_TO" in
    *"'"*) stop "RECOVER_TO is no time" ;;
    *[+-][0-9][0-9] | *[+-][0-9][0-9]:[0-9][0-9] | *Z) ;;
    *) stop "RECOVER_TO needs its offset from UTC, as in 2026-11-29 14:05:00+00" ;;
  esac
  until="$(date -u -d "$RECOVER_TO" +%Y%m%dT%H%M%SZ 2>/dev/null)" || stop "RECOVER_TO is no time: $RECOVER_TO"
  target="recovery_target_time = '$RECOVER_TO'"
fi

base=
for each in $(ls "$ARCHIVE/base" 2>/dev/null | grep '^2.*Z$' | sort); do
  if [ "$(printf '%s\n' "$each" "$until" | sort | head -n 1)" = "$each" ] && [ "$each" != "$until" ]; then
    base="$ARCHIVE/base/$each"
  fi
done
[ -n "$base" ] || stop "No copy of the cluster in $ARCHIVE/base is from before $RECOVER_TO."
pg_verifybackup --quiet "$base" || stop "$base is damaged: move it away, and an older one is used."

now="$(date -u +%Y%m%dT%H%M%SZ)"
umask 077
rm -rf "$PGDATA.recovering" # of a run that a full disk, or somebody, ended
cp -R "$base" "$PGDATA.recovering" || { rm -rf "$PGDATA.recovering"; stop "$base could not be copied."; }
if [ -d "$PGDATA/pg_wal" ]; then
  mkdir -p "$ARCHIVE/wal-of-$now"
  for file in "$PGDATA"/pg_wal/[0-9A-F]*; do
    name="${file##*/}"
    [ -f "$file" ] && [ ! -e "$ARCHIVE/wal/$name" ] && cp "$file" "$ARCHIVE/wal-of-$now/$name"
  done
fi
# What an earlier recovery asked for must not stop this one.
sed -i -e '/^restore_command/d' -e '/^recovery_target/d' "$PGDATA.recovering/postgresql.auto.conf"
cat >> "$PGDATA.recovering/postgresql.auto.conf" <<SETTINGS
restore_command = 'cp "$ARCHIVE/wal/%f" "%p" 2>/dev/null || cp "$ARCHIVE/wal-of-$now/%f" "%p"'
$target
recovery_target_action = 'promote'
SETTINGS
touch "$PGDATA.recovering/recovery.signal"
[ ! -e "$PGDATA" ] || mv "$PGDATA" "$PGDATA.before-$now"
mv "$PGDATA.recovering" "$PGDATA"
echo "Recovers from $base to $RECOVER_TO at the next start; the data of before: $PGDATA.before-$now"

#!/usr/bin/env bash
# Writes the manual pages, nacelle.1, nacelle-run.1 and so on, from the commands' definitions: eng/man.sh DIRECTORY-OF-EXECUTABLES DIRECTORY
# The pages state the day of the last commit, or that of $SOURCE_DATE_EPOCH.
set -euo pipefail
[ $# -eq 2 ] || { echo "usage: eng/man.sh DIRECTORY-OF-EXECUTABLES DIRECTORY" >&2; exit 2; }
here=$(dirname "$(realpath "$0")")
date=$(date -u -d "@${SOURCE_DATE_EPOCH:-$(git -C "$here" log -1 --format=%ct 2>/dev/null || echo 0)}" +%Y-%m-%d)
mkdir -p "$2"
for program in nacelle-fetch nacelle-build nacelle-node nacelle; do
    "$1/$program" __manual "$2" "$date"
done

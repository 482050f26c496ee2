#!/usr/bin/env bash
# Publishes all executables, compiled ahead of time and stripped, into a directory: eng/publish.sh DIR
set -euo pipefail
[ $# -eq 1 ] || { echo "usage: eng/publish.sh DIR" >&2; exit 2; }
directory=$(realpath -m -- "$1")
cd "$(dirname "$0")/.."
mkdir -p "$directory"
for project in Cli Supervisor Fetch Oci Build; do
    output=artifacts/publish/$project
    rm -rf "$output"
    dotnet publish "src/Nacelle.$project" --configuration Release --output "$output" --verbosity quiet -nologo
    find "$output" -maxdepth 1 -type f -perm -u+x ! -name '*.dbg' ! -name '*.dll' -exec install -m 0755 -t "$directory" {} +
done
ls -l "$directory"

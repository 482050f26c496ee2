#!/usr/bin/env bash
# Publishes all executables, compiled ahead of time and stripped, into a directory, and what belongs to them, manual pages and completion
# for shells, into another, DIR/share unless it is named: eng/publish.sh DIR [SHARE], as in eng/publish.sh /usr/local/bin /usr/local/share
set -euo pipefail
[ $# -eq 1 ] || [ $# -eq 2 ] || { echo "usage: eng/publish.sh DIR [SHARE]" >&2; exit 2; }
directory=$(realpath -m -- "$1")
share=$(realpath -m -- "${2:-$1/share}")
cd "$(dirname "$0")/.."
mkdir -p "$directory"
for project in Cli Supervisor Fetch Oci Build Node Flavors; do
    output=artifacts/publish/$project
    rm -rf "$output"
    dotnet publish "src/Nacelle.$project" --configuration Release --output "$output" --verbosity quiet -nologo
    find "$output" -maxdepth 1 -type f -perm -u+x ! -name '*.dbg' ! -name '*.dll' -exec install -m 0755 -t "$directory" {} +
done
rm -f "$directory/nacelle-flavors" # which is of use only in images
eng/stage1-images.sh artifacts/publish/Flavors/nacelle-flavors "$directory/stage1-images"

eng/man.sh "$directory" "$share/man/man1"
mkdir -p "$share/bash-completion/completions" "$share/zsh/site-functions" "$share/fish/vendor_completions.d"
"$directory/nacelle" completion bash >"$share/bash-completion/completions/nacelle"
"$directory/nacelle" completion zsh >"$share/zsh/site-functions/_nacelle"
"$directory/nacelle" completion fish >"$share/fish/vendor_completions.d/nacelle.fish"
ls -l "$directory"

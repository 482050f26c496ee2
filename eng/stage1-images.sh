#!/bin/bash
# Packs the flavors of stage1 that need nothing but nacelle-flavors as images: eng/stage1-images.sh PROGRAM DIRECTORY
# Makes stage1-fly.aci and stage1-oci.aci in the directory. (The flavor systemd: eng/systemd-image.sh)
set -euo pipefail
[ $# -eq 2 ] || { echo "usage: eng/stage1-images.sh PROGRAM DIRECTORY" >&2; exit 2; }
mkdir -p -- "$2"
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
scratch=$(mktemp -d)
trap 'rm -rf -- "$scratch"' EXIT
"$here/stage1-pack.sh" fly none "$1" "$scratch/fly" "$2" run enter stop
"$here/stage1-pack.sh" oci pod "$1" "$scratch/oci" "$2" run enter stop gc

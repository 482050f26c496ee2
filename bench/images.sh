#!/bin/bash
# Lists a store of 500 images, and one of none: nacelle beside podman and skopeo.
# usage: images.sh [ROUNDS]   (needs nacelle published in artifacts/bin, and podman, skopeo, jq, busybox)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. bench/measure.sh
rounds=${1:-30}
nacelle=$PWD/artifacts/bin/nacelle
work=$(mktemp -d)
trap 'rm -rf -- "${work:?}"' EXIT

mkdir -p "$work/rootfs/bin"
cp /bin/busybox "$work/rootfs/bin/"
tar -C "$work/rootfs" -cf "$work/rootfs.tar" .
podman=(podman --root "$work/podman" --runroot "$work/podman-run" --storage-driver vfs)
"${podman[@]}" import -q "$work/rootfs.tar" localhost/image:1 >/dev/null
"${podman[@]}" save -q --format oci-dir -o "$work/layout" localhost/image:1 >/dev/null
jq '.manifests[0] as $one | .manifests = [range(500) | $one + {annotations: {"org.opencontainers.image.ref.name": "t\(.)"}}]' "$work/layout/index.json" >"$work/index.json"
mv "$work/index.json" "$work/layout/index.json"
for i in $(seq 0 499); do
    "$nacelle" --dir="$work/store" --insecure-options=image fetch "oci:$work/layout:t$i" >/dev/null
done
seq 2 500 | sed 's,^,localhost/image:,' | xargs "${podman[@]}" tag localhost/image:1

# Milliseconds of each round, for the median.
[ "$("$nacelle" --dir="$work/store" image list --no-legend | wc -l)" = 500 ]
measure "nacelle image list, 500" "$nacelle" --dir="$work/store" image list
measure "nacelle image list, JSON" "$nacelle" --dir="$work/store" image list --format=json
measure "nacelle image list, none" "$nacelle" --dir="$work/empty" image list
measure "podman images, 500" "${podman[@]}" images

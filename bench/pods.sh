#!/bin/bash
# What many pods on the disk cost: list, status and events of 1,000 exited pods, and collecting them all; podman ps with 50 containers for comparison.
# Usage: bench/pods.sh [PODS] [ROUNDS]   (needs nacelle published in artifacts/bin)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. bench/measure.sh
pods=${1:-1000} rounds=${2:-20}
eng/install-packages.sh busybox-static umoci podman
work=$(mktemp -d /dev/shm/nacelle-bench.XXXXXX) # in memory, because disks are noisy
nacelle() { artifacts/bin/nacelle --dir="$work/data" --insecure-options=image "$@"; }
podman=(podman --root "$work/podman" --runroot "$work/podman-run" --storage-driver vfs)
cleanup() {
    nacelle gc --grace-period=0s --expire-prepared=0s >/dev/null || true
    rm -rf -- "$work"
}
trap cleanup EXIT

umoci init --layout "$work/image" && umoci new --image "$work/image:true" && umoci unpack --image "$work/image:true" "$work/bundle" >/dev/null 2>&1
mkdir -p "$work/bundle/rootfs/bin" && cp /bin/busybox "$work/bundle/rootfs/bin/true"
umoci repack --image "$work/image:true" "$work/bundle" >/dev/null 2>&1
umoci config --image "$work/image:true" --config.cmd /bin/true
nacelle fetch "oci:$work/image:true" >/dev/null
for _ in $(seq "$pods"); do nacelle run --net=none "oci:$work/image:true"; done
[ "$(nacelle list --no-legend | wc -l)" = "$pods" ]
one=$(nacelle list --no-legend --full | awk 'NR == 1 { print $1 }')
tar -C "$work/bundle/rootfs" -c . | "${podman[@]}" import -q - localhost/true:1 >/dev/null
for _ in $(seq 50); do "${podman[@]}" create -q localhost/true:1 /bin/true >/dev/null; done

measure "nacelle list, $pods pods" artifacts/bin/nacelle --dir="$work/data" list
measure "nacelle list, JSON" artifacts/bin/nacelle --dir="$work/data" list --format=json
measure "nacelle status of one" artifacts/bin/nacelle --dir="$work/data" status "$one"
measure "nacelle status by a short name" artifacts/bin/nacelle --dir="$work/data" status "${one:0:8}"
measure "nacelle list, no pods" artifacts/bin/nacelle --dir="$work/empty" list
measure "podman ps -a, 50 containers" "${podman[@]}" ps -a
start=$(date +%s%N)
nacelle gc --grace-period=0s >/dev/null
echo "nacelle gc of $pods pods: $((($(date +%s%N) - start) / 1000000)) ms"
[ "$(nacelle list --no-legend | wc -l)" = 0 ]

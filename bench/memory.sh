#!/usr/bin/env bash
# What a pod's supervisor costs in memory while its app runs: proportional (PSS) and resident (RSS) size of every nacelle-init, in KiB.
# Usage: bench/memory.sh [PODS]
set -euo pipefail
cd "$(dirname "$0")/.."
pods=${1:-50}
eng/install-packages.sh busybox-static umoci
[ -x artifacts/bin/nacelle ] || eng/publish.sh artifacts/bin

work=$(mktemp -d /dev/shm/nacelle-bench.XXXXXX) # in memory, because disks are noisy
nacelle() { artifacts/bin/nacelle --dir="$work/data" "$@"; }
cleanup() {
    nacelle list --no-legend --full 2>/dev/null | awk '$5 == "running" { print $1 }' | xargs -r artifacts/bin/nacelle --dir="$work/data" stop --force >/dev/null || true
    wait
    nacelle gc --grace-period=0s >/dev/null || true
    rm -rf -- "$work"
}
trap cleanup EXIT

umoci init --layout "$work/image" && umoci new --image "$work/image:sleep" && umoci unpack --image "$work/image:sleep" "$work/bundle" >/dev/null 2>&1
mkdir -p "$work/bundle/rootfs/bin" && cp /bin/busybox "$work/bundle/rootfs/bin/sleep"
umoci repack --image "$work/image:sleep" "$work/bundle" >/dev/null 2>&1
umoci config --image "$work/image:sleep" --config.cmd /bin/sleep --config.cmd 600
nacelle --insecure-options=image fetch "oci:$work/image:sleep" >/dev/null
for _ in $(seq "$pods"); do
    nacelle run --net=none "oci:$work/image:sleep" >/dev/null 2>&1 &
done
until [ "$(nacelle list --no-legend | grep -c running)" -eq "$pods" ]; do sleep 0.2; done
sleep 1

report() { # LABEL PID...
    local label=$1
    shift
    for pid in "$@"; do awk '/^(Pss|Rss):/ { printf "%s ", $2 } END { print "" }' "/proc/$pid/smaps_rollup"; done | awk -v label="$label" \
        '{ if ($1 > rss) rss = $1; pss += $2; n++ } END { printf "%-36s %3d processes  PSS %5d each on average  RSS %5d at most\n", label, n, pss / n, rss }'
}
inner=$(cat "$work"/data/pods/run/*/pid)
outer=$(for pid in $inner; do awk '/^PPid:/ { print $2 }' "/proc/$pid/status"; done)
# shellcheck disable=SC2086
report "nacelle-init, PID 1 of the pod" $inner
# shellcheck disable=SC2086
report "nacelle-init, outside the pod" $outer

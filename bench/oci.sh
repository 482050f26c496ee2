#!/usr/bin/env bash
# nacelle-oci beside the newest crun and runc that Debian has: run, create, start, delete and exec, each by itself, and the peak memory of each process.
# Usage: bench/oci.sh [RUNS]     Medians in milliseconds, processor time, ratios to crun; all in one run of hyperfine for each command.
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${1:-40}
eng/install-packages.sh hyperfine busybox-static umoci jq util-linux time
[ -x artifacts/bin/nacelle-oci ] || eng/publish.sh artifacts/bin
peers=$PWD/artifacts/peers
bench/newest-peers.sh "$peers"

work=/dev/shm/nacelle-bench-$$ # in memory, because disks are noisy
mkdir "$work"
trap 'for gone in "$work"/gone-*; do [ ! -x "$gone" ] || "$gone"; done; rm -rf -- "$work"' EXIT

# One root file system: busybox alone. Bundles as "nacelle-oci spec" writes them, without a seccomp filter, and one with the filter that the apps of pods have.
mkdir -p "$work/rootfs"/{bin,etc,dev,proc,sys,tmp}
cp /bin/busybox "$work/rootfs/bin/" && ln -s busybox "$work/rootfs/bin/true" && ln -s busybox "$work/rootfs/bin/sleep"
echo 'root:x:0:0:root:/root:/bin/sh' >"$work/rootfs/etc/passwd"
export work runs nacelle=$PWD/artifacts/bin/nacelle-oci crun=$peers/crun runc=$peers/runc
bundle() { # NAME PROGRAM FILTER
    mkdir -p "$work/$1"
    (cd "$work/$1" && "$nacelle" spec && jq --argjson args "$2" ".root.path = \"$work/rootfs\" | .process.terminal = false | .process.args = \$args | .process.rlimits = [] | $3" config.json >new && mv new config.json)
}
umoci init --layout "$work/image" && umoci new --image "$work/image:true" && umoci unpack --image "$work/image:true" "$work/unpacked" >/dev/null 2>&1
cp -a "$work/rootfs/." "$work/unpacked/rootfs/" && umoci repack --image "$work/image:true" "$work/unpacked" >/dev/null 2>&1
umoci config --image "$work/image:true" --config.cmd /bin/true
artifacts/bin/nacelle --dir="$work/data" --insecure-options=image fetch "oci:$work/image:true" >/dev/null
artifacts/bin/nacelle --dir="$work/data" prepare --quiet "oci:$work/image:true" >/dev/null
profile=$(jq -c .linux.seccomp "$work"/data/pods/prepared/*/stage1/rootfs/opt/stage2/*/config.json)
bundle true '["/bin/true"]' .
bundle sleep '["/bin/sleep", "100000"]' .
bundle true-seccomp '["/bin/true"]' ".linux.seccomp = $profile"

# A program for each runtime, so that hyperfine needs no shell; crun and Debian's runc want to be told of control groups.
for name in nacelle crun runc; do
    case $name in
        nacelle) command="$nacelle --root $work/state-nacelle" ;;
        crun) command="$crun --root $work/state-crun --cgroup-manager=cgroupfs" ;;
        runc) command="$runc --root $work/state-runc" ;;
    esac
    printf '%s' "$command" >"$work/command-$name"
    printf '#!/bin/sh\n%s delete --force %s >/dev/null 2>&1\nexit 0\n' "$command" "b-$name" >"$work/gone-$name"
    printf '#!/bin/sh\n%s delete --force %s >/dev/null 2>&1\nexec %s create --bundle %s/sleep %s </dev/null >/dev/null 2>&1\n' "$command" "b-$name" "$command" "$work" "b-$name" >"$work/created-$name"
    printf '#!/bin/sh\n%s delete --force %s >/dev/null 2>&1\n%s run --detach --bundle %s/true %s </dev/null >/dev/null 2>&1\nwhile [ "$(%s state %s | grep -c stopped)" = 0 ]; do sleep 0.01; done\n' \
        "$command" "b-$name" "$command" "$work" "b-$name" "$command" "b-$name" >"$work/stopped-$name"
    chmod +x "$work"/{gone,created,stopped}-$name
done

cat >"$work/bench" <<'INNER'
set -eu${TRACE:+x}
umount /sys/fs/cgroup/unified 2>/dev/null || true # crun refuses a hybrid layout, so nobody sees the unified tree
measure() { # TITLE PREPARATION ARGUMENTS
    set -- "$1" "$2" "$3"
    arguments=()
    for name in nacelle crun runc; do
        [ -z "$2" ] || arguments+=(--prepare "$work/$2-$name")
        arguments+=(--command-name "$name" "$(cat "$work/command-$name") ${3//ID/b-$name}")
    done
    hyperfine --shell=none --warmup 3 --runs "$runs" --export-json "$work/result.json" --style none "${arguments[@]}" >"$work/hyperfine.log" 2>&1 || { cat "$work/hyperfine.log"; exit 1; }
    jq -r --arg title "$1" '(.results[] | select(.command == "crun")) as $crun | .results[] | [$title, .command, (.median * 1000 | . * 10 | round / 10), (.min * 1000 | . * 10 | round / 10),
        ((.user + .system) * 1000 | . * 10 | round / 10), (.median / $crun.median * 100 | round / 100), ((.user + .system) / ($crun.user + $crun.system) * 100 | round / 100)] | @tsv' "$work/result.json" >>"$work/table"
}
printf 'what\truntime\tmedian ms\tmin ms\tcpu ms\ttime, x crun\tcpu, x crun\n' >"$work/table"
measure run gone "run --bundle $work/true ID"
measure "run, with seccomp" gone "run --bundle $work/true-seccomp ID"
measure create gone "create --bundle $work/sleep ID"
measure start created "start ID"
measure delete stopped "delete ID"
for name in nacelle crun runc; do "$work/created-$name"; $(cat "$work/command-$name") start "b-$name"; done
measure exec "" "exec ID /bin/true"
for name in nacelle crun runc; do "$work/gone-$name"; done
column -t -s "$(printf '\t')" "$work/table"
echo
for verb in run exec; do
    for name in nacelle crun runc; do
        command=$(cat "$work/command-$name")
        if [ $verb = run ]; then what="run --bundle $work/true b-$name"; else "$work/created-$name"; $command start "b-$name"; what="exec b-$name /bin/true"; fi
        peak=$(for _ in 1 2 3 4 5; do /usr/bin/time -f %M $command $what 2>&1 >/dev/null | tail -n 1; done | sort -n | sed -n 3p)
        echo "peak memory of $verb, $name: $peak KB"
        "$work/gone-$name"
    done
done
INNER
unshare --mount --propagation private bash "$work/bench"

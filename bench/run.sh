#!/usr/bin/env bash
# Whole processes, start to exit: /bin/true in a pod of a stored image, beside other runtimes on the same root file system.
# Usage: bench/run.sh [RUNS]     Prints a table of medians in milliseconds, processor time, and ratios to crun; all in one run of hyperfine.
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${1:-40}
eng/install-packages.sh hyperfine crun podman systemd-container busybox-static umoci jq util-linux
[ -x artifacts/bin/nacelle ] || eng/publish.sh artifacts/bin

work=/dev/shm/nacelle-bench-$$ # in memory, because disks are noisy; no capitals, because podman takes the path for part of a name
mkdir "$work"
cleanup() {
    artifacts/bin/nacelle --dir="$work/data" gc --grace-period=0s >/dev/null 2>&1 || true
    podman --root "$work/podman" --runroot "$work/podman-run" rmi --all --force >/dev/null 2>&1 || true
    umount -R "$work/podman/overlay" 2>/dev/null || true
    rm -rf -- "$work"
}
trap cleanup EXIT

# The image: busybox alone.
umoci init --layout "$work/image" && umoci new --image "$work/image:true" && umoci unpack --image "$work/image:true" "$work/bundle" >/dev/null 2>&1
mkdir -p "$work/bundle/rootfs"/{bin,etc,dev,proc,sys,tmp,usr,run,var}
cp /bin/busybox "$work/bundle/rootfs/bin/" && ln -s busybox "$work/bundle/rootfs/bin/true" && ln -s busybox "$work/bundle/rootfs/bin/sh"
echo 'root:x:0:0:root:/root:/bin/sh' >"$work/bundle/rootfs/etc/passwd"
touch "$work/bundle/rootfs/etc/os-release"
umoci repack --image "$work/image:true" "$work/bundle" >/dev/null 2>&1
umoci config --image "$work/image:true" --config.cmd /bin/true
artifacts/bin/nacelle --dir="$work/data" --insecure-options=image fetch "oci:$work/image:true" >/dev/null

# crun: a plain bundle with the namespaces that a pod has. Debian's crun refuses a hybrid cgroup layout, so nobody sees the unified tree.
mkdir -p "$work/crun" && cp -a "$work/bundle/rootfs" "$work/crun/rootfs"
(cd "$work/crun" && crun spec && jq '.process.terminal = false | .process.args = ["/bin/true"] | .process.rlimits = []
    | .linux.namespaces = [{type: "pid"}, {type: "network"}, {type: "ipc"}, {type: "uts"}, {type: "mount"}, {type: "cgroup"}]' config.json >new && mv new config.json)

# The same again under the confinement that a pod's app has: what nacelle wrote for the app, put into crun's own config.json.
artifacts/bin/nacelle --dir="$work/data" prepare --quiet "oci:$work/image:true" >/dev/null
mkdir -p "$work/crun-confined" && cp -a "$work/bundle/rootfs" "$work/crun-confined/rootfs"
jq --slurpfile app <(cat "$work"/data/pods/prepared/*/stage1/rootfs/opt/stage2/*/config.json) '.process.capabilities = $app[0].process.capabilities
    | .linux.seccomp = $app[0].linux.seccomp | .linux.maskedPaths = $app[0].linux.maskedPaths | .linux.readonlyPaths = $app[0].linux.readonlyPaths' \
    "$work/crun/config.json" >"$work/crun-confined/config.json"

podman="podman --root $work/podman --runroot $work/podman-run"
$podman pull -q "oci:$work/image:true" >/dev/null
image=$($podman images -q | head -n 1)

export work image podman runs
export nacelle=$PWD/artifacts/bin/nacelle
cat >"$work/bench" <<'INNER'
umount /sys/fs/cgroup/unified 2>/dev/null || true
hyperfine --shell=none --warmup 3 --runs "$runs" --export-json "$work/result.json" --style none --ignore-failure \
    --command-name nacelle "$nacelle --dir=$work/data run --net=none oci:$work/image:true" \
    --command-name "crun, same confinement" "crun --root $work/crun-state --cgroup-manager=cgroupfs run --bundle $work/crun-confined bench" \
    --command-name "crun, no seccomp" "crun --root $work/crun-state --cgroup-manager=cgroupfs run --bundle $work/crun bench" \
    --command-name podman "$podman --cgroup-manager=cgroupfs run --rm --network none --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 $image" \
    --command-name systemd-nspawn "systemd-nspawn --quiet --register=no --keep-unit --private-network --directory=$work/crun/rootfs /bin/true" \
    --command-name unshare "unshare -fmpniuC --mount-proc true" \
    --command-name /bin/true "/bin/true" >"$work/hyperfine.log" 2>&1
INNER
unshare --mount --propagation private bash "$work/bench" || { cat "$work/hyperfine.log"; exit 1; }
jq -r '(.results[] | select(.command == "crun, same confinement")) as $crun |
    ["command", "median ms", "min ms", "cpu ms", "x crun", "failed"],
    (.results[] | [.command, (.median * 1000 | . * 10 | round / 10), (.min * 1000 | . * 10 | round / 10), ((.user + .system) * 1000 | . * 10 | round / 10),
        (.median / $crun.median * 100 | round / 100), ([.exit_codes[] | select(. != 0)] | length)]) | @tsv' "$work/result.json" | column -t -s "$(printf '\t')"

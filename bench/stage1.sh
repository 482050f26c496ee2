#!/usr/bin/env bash
# The whole way of a pod with one app, run to exit, by each flavor of stage1; beside podman, systemd-nspawn, crun, runc and a plain chroot.
# Usage: bench/stage1.sh [RUNS]     Medians in milliseconds, processor time, ratios to the flavor linux; all in one run of hyperfine. /bin/true of busybox everywhere.
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${1:-20}
eng/install-packages.sh hyperfine crun runc podman catatonit systemd-container busybox-static umoci jq util-linux
[ -x artifacts/bin/nacelle ] || eng/publish.sh artifacts/bin
[ -e artifacts/bin/stage1-images/stage1-systemd.aci ] || eng/systemd-image.sh artifacts/publish/Flavors/nacelle-flavors artifacts/bin/stage1-images

work=/dev/shm/nacelle-bench-$$ # in memory, because disks are noisy; no capitals, because podman takes the path for part of a name
mkdir "$work"
cleanup() {
    artifacts/bin/nacelle --dir="$work/data" gc --grace-period=0s >/dev/null 2>&1 || true
    podman --root "$work/podman" --runroot "$work/podman-run" rmi --all --force >/dev/null 2>&1 || true
    umount -R "$work/podman/overlay" 2>/dev/null || true
    rm -rf -- "$work"
}
trap cleanup EXIT

umoci init --layout "$work/image" && umoci new --image "$work/image:true" && umoci unpack --image "$work/image:true" "$work/bundle" >/dev/null 2>&1
mkdir -p "$work/bundle/rootfs"/{bin,etc,dev,proc,sys,tmp,usr,run,var}
cp /bin/busybox "$work/bundle/rootfs/bin/" && ln -s busybox "$work/bundle/rootfs/bin/true" && ln -s busybox "$work/bundle/rootfs/bin/sh"
echo 'root:x:0:0:root:/root:/bin/sh' >"$work/bundle/rootfs/etc/passwd"
touch "$work/bundle/rootfs/etc/os-release"
umoci repack --image "$work/image:true" "$work/bundle" >/dev/null 2>&1
umoci config --image "$work/image:true" --config.cmd /bin/true

export nacelle="$PWD/artifacts/bin/nacelle --dir=$work/data --insecure-options=image"
$nacelle fetch "oci:$work/image:true" >/dev/null
$nacelle prepare --quiet "oci:$work/image:true" >/dev/null

# crun and runc: the same root file system with the namespaces and the confinement that a pod's app has.
mkdir -p "$work/oci" && cp -a "$work/bundle/rootfs" "$work/oci/rootfs"
(cd "$work/oci" && crun spec && jq --slurpfile app <(cat "$work"/data/pods/prepared/*/stage1/rootfs/opt/stage2/*/config.json) '.process.terminal = false | .process.args = ["/bin/true"]
    | .process.rlimits = [] | .process.capabilities = $app[0].process.capabilities | .linux.seccomp = $app[0].linux.seccomp
    | .linux.maskedPaths = $app[0].linux.maskedPaths | .linux.readonlyPaths = $app[0].linux.readonlyPaths
    | .linux.namespaces = [{type: "pid"}, {type: "network"}, {type: "ipc"}, {type: "uts"}, {type: "mount"}, {type: "cgroup"}]' config.json >new && mv new config.json)

export podman="podman --root $work/podman --runroot $work/podman-run --cgroup-manager=cgroupfs" work runs
$podman pull -q "oci:$work/image:true" >/dev/null 2>&1
export image=$($podman images -q | head -n 1)
# podman's pod: made, its one container run, and removed.
printf '#!/bin/sh\n%s pod create --name bench --network none --infra-command /bin/true >/dev/null && %s run --pod bench --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 %s; %s pod rm -f bench >/dev/null\n' \
    "$podman" "$podman" "$image" "$podman" >"$work/podman-pod"
chmod +x "$work/podman-pod"

cat >"$work/bench" <<'INNER'
umount /sys/fs/cgroup/unified 2>/dev/null || true # crun refuses a hybrid layout, so nobody sees the unified tree
run() { echo "$nacelle run $1 oci:$work/image:true"; }
for flags in --stage1-name=nacelle/stage1-fly "--net=none --stage1-name=nacelle/stage1-oci" "--net=none --stage1-name=nacelle/stage1-systemd"; do
    $(run "$flags") >/dev/null 2>&1 || true # into the store
done
hyperfine --shell=none --warmup 3 --runs "$runs" --export-json "$work/result.json" --style none --ignore-failure \
    --command-name "nacelle, linux" "$(run --net=none)" \
    --command-name "nacelle, fly" "$(run --stage1-name=nacelle/stage1-fly)" \
    --command-name "nacelle, oci with crun" "env NACELLE_OCI_RUNTIME=crun $(run "--net=none --stage1-name=nacelle/stage1-oci")" \
    --command-name "nacelle, oci with runc" "env NACELLE_OCI_RUNTIME=runc $(run "--net=none --stage1-name=nacelle/stage1-oci")" \
    --command-name "nacelle, systemd" "$(run "--net=none --stage1-name=nacelle/stage1-systemd")" \
    --command-name "podman run" "$podman run --rm --network none --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 $image" \
    --command-name "podman pod create, run, rm" "$work/podman-pod" \
    --command-name systemd-nspawn "systemd-nspawn --quiet --register=no --keep-unit --private-network --directory=$work/oci/rootfs /bin/true" \
    --command-name "crun alone" "crun --root $work/crun-state --cgroup-manager=cgroupfs run --bundle $work/oci bench" \
    --command-name "runc alone" "runc --root $work/runc-state run --bundle $work/oci bench" \
    --command-name chroot "chroot $work/oci/rootfs /bin/true" >"$work/hyperfine.log" 2>&1
INNER
unshare --mount --propagation private bash "$work/bench" || { cat "$work/hyperfine.log"; exit 1; }
jq -r '.results[0] as $linux | ["command", "median ms", "min ms", "cpu ms", "x linux", "failed"],
    (.results[] | [.command, (.median * 1000 | . * 10 | round / 10), (.min * 1000 | . * 10 | round / 10), ((.user + .system) * 1000 | . * 10 | round / 10),
        (.median / $linux.median * 100 | round / 100), ([.exit_codes[] | select(. != 0)] | length)]) | @tsv' "$work/result.json" | column -t -s "$(printf '\t')"

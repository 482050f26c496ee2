#!/usr/bin/env bash
# What a network costs a pod: run to exit without one, with the default one, and with others by the built-in plug-ins and by Debian's programs; beside podman. Then many pods at once.
# Usage: bench/network.sh [RUNS] [PODS]     Medians in milliseconds and processor time, all in one run of hyperfine; in a network namespace of its own: no rule or lease is the machine's.
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${1:-20} pods=${2:-100}
eng/install-packages.sh hyperfine podman catatonit containernetworking-plugins iptables nftables iproute2 busybox-static umoci jq util-linux
[ -x artifacts/bin/nacelle ] || eng/publish.sh artifacts/bin

work=/dev/shm/nacelle-bench-$$ # in memory, because disks are noisy; no capitals, because podman takes the path for part of a name
mkdir "$work"
cleanup() {
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

# The default network in other forms, each in a configuration of its own. One version, so that programs need not be asked which they speak; IPv4 alone, because they wait until nobody has
# objected to an address of IPv6.
network() { # DIRECTORY KEYS SUBNET
    mkdir -p "$work/$1/net.d"
    printf '{ "cniVersion": "1.0.0", "name": "default", "plugins": [ { %s, "ipMasq": true,
        "ipam": { "type": "host-local", "dataDir": "/run/bench", "ranges": [[{ "subnet": "%s" }]], "routes": [{ "dst": "0.0.0.0/0" }] } },
        { "type": "portmap", "capabilities": { "portMappings": true } } ] }' "$2" "$3" >"$work/$1/net.d/10-default.conflist"
}
network ptp '"type": "ptp"' 10.43.0.0/16
network bridge '"type": "bridge", "bridge": "bench0", "isGateway": true' 10.44.0.0/16
mkdir -p "$work/podman-networks"

export nacelle="$PWD/artifacts/bin/nacelle --dir=$work/data --insecure-options=image" work runs pods
export podman="podman --root $work/podman --runroot $work/podman-run --network-config-dir $work/podman-networks --cgroup-manager=cgroupfs"
$nacelle fetch "oci:$work/image:true" >/dev/null
$podman pull -q "oci:$work/image:true" >/dev/null 2>&1
export image=$($podman images -q | head -n 1)

cat >"$work/bench" <<'INNER'
set -euo pipefail
for directory in /run /var/lib/cni; do mkdir -p "$directory" && mount -t tmpfs tmpfs "$directory"; done
umount /sys/fs/cgroup/unified 2>/dev/null || true # podman's crun refuses a hybrid layout, so nobody sees the unified tree
ip link set lo up
echo 1 >/proc/sys/net/ipv4/ip_forward

run() { echo "$nacelle run $* oci:$work/image:true"; }
rootless="--ulimit nofile=1024:1024 --ulimit nproc=1024:1024"
hyperfine --shell=none --warmup 3 --runs "$runs" --export-json "$work/result.json" --style none --ignore-failure \
    --command-name "nacelle --net=none" "$(run --net=none)" \
    --command-name "nacelle, default network" "$(run --net=default)" \
    --command-name "nacelle, ptp, built in" "$(run --local-config=$work/ptp --net=default)" \
    --command-name "nacelle, ptp, Debian's programs" "env CNI_PATH=/usr/lib/cni $(run --local-config=$work/ptp --net=default)" \
    --command-name "nacelle, bridge, built in" "$(run --local-config=$work/bridge --net=default)" \
    --command-name "nacelle, bridge, Debian's programs" "env CNI_PATH=/usr/lib/cni $(run --local-config=$work/bridge --net=default)" \
    --command-name "podman --network=none" "$podman run --rm --network none $rootless $image" \
    --command-name "podman, default network" "$podman run --rm $rootless $image" >"$work/hyperfine.log" 2>&1
jq -r '.results as [$none] | ["command", "median ms", "min ms", "cpu ms", "over none", "failed"],
    (.results[] | [.command, (.median * 10000 | round / 10), (.min * 10000 | round / 10), ((.user + .system) * 10000 | round / 10),
        ((.median - $none.median) * 10000 | round / 10), ([.exit_codes[] | select(. != 0)] | length)]) | @tsv' "$work/result.json" | column -t -s "$(printf '\t')"

# Many at once, each of which keeps its address for a while.
start=$(date +%s%N)
for i in $(seq "$pods"); do
    $nacelle run --net=default "oci:$work/image:true" --exec /bin/busybox -- sh -c 'busybox ip -4 -o address show dev eth0; busybox sleep 20' >"$work/out-$i" 2>"$work/err-$i" &
done
while [ "$(cat "$work"/out-* | grep -c 'inet ')" -lt "$pods" ] && [ $(($(date +%s%N) - start)) -lt 120000000000 ]; do sleep 0.05; done
echo "$pods pods at once, default network: all $(cat "$work"/out-* | grep -c 'inet ') have an address after $((($(date +%s%N) - start) / 1000000)) ms; $(cat "$work"/out-* | grep -o 'inet [0-9.]*' | sort -u | wc -l) different ones"
failed=0
for job in $(jobs -p); do wait "$job" || failed=$((failed + 1)); done
echo "failed: $failed"
cat "$work"/err-* | sort | uniq -c | head
$nacelle gc --grace-period=0s >/dev/null
INNER
unshare --mount --net --propagation private bash "$work/bench" || { cat "$work/hyperfine.log"; exit 1; }

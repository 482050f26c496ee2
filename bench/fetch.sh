#!/bin/sh
# An image of some 450 MB and a registry on this machine, with a store on a tmpfs: fetched and unpacked from gzip and from zstd, fetched again (nothing to do), and pushed.
# nacelle beside podman, buildah, skopeo (which does not unpack) and the plain work (inflate, hash and tar, two layers at a time).
# usage: fetch.sh [DIRECTORY-WITH-nacelle-fetch]   ROUNDS=n for other than 3 rounds; needs some 5 GB of memory
set -eu
here=$(cd "$(dirname "$0")" && pwd)
rounds=${ROUNDS:-3}
work=/dev/shm/nacelle-bench-$$
registry_pid=
target_pid=

finish() {
    [ -z "$registry_pid" ] || kill "$registry_pid" 2>/dev/null || true
    [ -z "$target_pid" ] || kill "$target_pid" 2>/dev/null || true
    umount "$work/store/root/overlay" 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM
mkdir -p "$work/registry" "$work/bin"

if [ $# -gt 0 ]; then
    fetch=$1/nacelle-fetch
else
    dotnet publish "$here/../src/Nacelle.Fetch" -c Release -o "$work/bin" >"$work/publish.log" 2>&1 || { cat "$work/publish.log"; exit 1; }
    fetch=$work/bin/nacelle-fetch
fi

"$here/make-big-image.sh" "$work/image" >"$work/size"
port=$((20000 + $$ % 20000))
cat >"$work/registry.yml" <<YML
version: 0.1
storage: {filesystem: {rootdirectory: $work/registry}}
http: {addr: "127.0.0.1:$port"}
log: {level: error}
YML
docker-registry serve "$work/registry.yml" >"$work/registry.log" 2>&1 &
registry_pid=$!
registry=127.0.0.1:$port
for _ in 1 2 3 4 5 6 7 8 9 10; do
    skopeo copy -q --dest-tls-verify=false "oci:$work/image/layout:big" "docker://$registry/bench/gzip:1" 2>/dev/null && break
    sleep 0.3
done
"$fetch" image copy --insecure-options=http --compression=zstd "oci:$work/image/layout:big" "docker://$registry/bench/zstd:1"
skopeo copy -q --src-tls-verify=false "docker://$registry/bench/zstd:1" "oci:$work/image/zstd:big"

# Each contestant: name, and a command. Before each round the store is taken away, unless KEEP is set.
contestant() {
    name=$1
    shift
    rm -f "$work/times"
    for round in $(seq "$rounds"); do
        export round
        ${BEFORE:-true}
        if [ -z "${KEEP:-}" ]; then
            umount "$work/store/root/overlay" 2>/dev/null || true # podman leaves it mounted
            rm -rf "$work/store"
        fi
        if ! /usr/bin/time -f '%e %U %S %M' -o "$work/time" sh -c "$*" >"$work/output" 2>&1; then
            printf '%-26s failed: %s\n' "$name" "$(tail -n 1 "$work/output")"
            return
        fi
        tail -n 1 "$work/time" >>"$work/times"
    done
    sort -n "$work/times" | awk -v name="$name" -v base_file="$work/base" '
        { line[NR] = $0 }
        END {
            split(line[int((NR + 1) / 2)], m, " ")
            if ((getline base < base_file) <= 0) { base = m[1]; print base > base_file }
            printf "%-26s %7.2f s %8.2f s %8.0f MB %7.2f\n", name, m[1], m[2] + m[3], m[4] / 1024, m[1] / (base == 0 ? 0.01 : base)
        }'
}

section() {
    printf '\n%-26s %9s %10s %11s %7s\n' "$1" wall CPU "peak RSS" ratio
    rm -f "$work/base"
}

empty() {
    umount "$work/store/root/overlay" 2>/dev/null || true
    rm -rf "$work/store"
}

printf '%s, %s rounds, medians\n' "$(cat "$work/size")" "$rounds"
nacelle="$fetch fetch --dir=$work/store --insecure-options=http,image"
buildah="buildah --root $work/store/root --runroot $work/store/run --storage-driver overlay"
podman="podman --root $work/store/root --runroot $work/store/run --storage-driver overlay"
export work
for format in gzip zstd; do
    layout=$work/image/layout
    [ "$format" = gzip ] || layout=$work/image/zstd
    layers=$(find "$layout/blobs/sha256" -size +1000k)
    cat >"$work/plain.sh" <<SH
mkdir -p "$work/store"
echo "$layers" | xargs -P 2 -I{} bash -c 'd=\$1/\$(basename "\$2"); mkdir -p "\$d"; tee >(sha256sum >/dev/null) <"\$2" | $format -dc | tee >(sha256sum >/dev/null) | tar -x -C "\$d"' _ "$work/store" {}
SH
    image=docker://$registry/bench/$format:1
    section "fetch, $format"
    contestant "the plain work" sh "$work/plain.sh"
    contestant "nacelle fetch" "$nacelle $image"
    contestant "skopeo copy" "skopeo copy -q --src-tls-verify=false $image dir:$work/store"
    contestant "podman pull" "$podman pull -q --tls-verify=false $image"
    contestant "buildah pull" "$buildah pull -q --tls-verify=false $image"
done

section "fetch again"
empty
sh -c "$nacelle $image" >/dev/null
KEEP=yes contestant "nacelle fetch" "$nacelle $image"
empty
sh -c "$podman pull -q --tls-verify=false $image" >/dev/null
KEEP=yes contestant "podman pull" "$podman pull -q --tls-verify=false $image"
KEEP=yes contestant "buildah pull" "$buildah pull -q --tls-verify=false $image"

# A registry of its own, empty each time: in the other one all blobs would only be mounted.
target_port=$((port + 1))
sed "s,$work/registry},$work/target},; s,:$port\",:$target_port\"," "$work/registry.yml" >"$work/target.yml"
docker-registry serve "$work/target.yml" >"$work/target.log" 2>&1 &
target_pid=$!
target=127.0.0.1:$target_port/big:1
clear_target() { rm -rf "$work/target"; }
sleep 0.5
export KEEP=yes BEFORE=clear_target

section "push, gzip"
empty
sh -c "$nacelle docker://$registry/bench/gzip:1" >/dev/null
contestant "nacelle image push" "$fetch image push --dir=$work/store --insecure-options=http docker://$registry/bench/gzip:1 docker://$target"
contestant "skopeo copy" "skopeo copy -q --dest-tls-verify=false oci:$work/image/layout:big docker://$target"
empty
sh -c "$podman pull -q --tls-verify=false docker://$registry/bench/gzip:1" >/dev/null
contestant "podman push" "$podman push -q --tls-verify=false $registry/bench/gzip:1 docker://$target"
contestant "buildah push" "$buildah push -q --tls-verify=false $registry/bench/gzip:1 docker://$target"
empty

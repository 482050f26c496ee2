#!/bin/sh
# How long it takes to fetch and unpack an image of some 450 MB from a registry on this machine into a store on a tmpfs:
# nacelle-fetch beside podman pull, skopeo copy (which does not unpack) and the plain work (gzip | tar, two layers at a time).
# usage: fetch.sh [DIRECTORY-WITH-nacelle-fetch]   ROUNDS=n for other than 3 rounds; needs some 5 GB of memory
set -eu
here=$(cd "$(dirname "$0")" && pwd)
rounds=${ROUNDS:-3}
work=/dev/shm/nacelle-bench-$$
registry_pid=

finish() {
    [ -z "$registry_pid" ] || kill "$registry_pid" 2>/dev/null || true
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
for _ in 1 2 3 4 5 6 7 8 9 10; do
    skopeo copy -q --dest-tls-verify=false "oci:$work/image/layout:big" "docker://127.0.0.1:$port/bench/big:1" 2>/dev/null && break
    sleep 0.3
done
image=docker://127.0.0.1:$port/bench/big:1
layers=$(cd "$work/image/layout/blobs/sha256" && find "$PWD" -size +1000k)

# Each contestant: name, and a command that fills $work/store.
contestant() {
    name=$1
    shift
    for _ in $(seq "$rounds"); do
        umount "$work/store/root/overlay" 2>/dev/null || true # podman leaves it mounted
        rm -rf "$work/store"
        if ! /usr/bin/time -f '%e %U %S %M' -o "$work/time" "$@" >"$work/output" 2>&1; then
            printf '%-22s failed: %s\n' "$name" "$(tail -n 1 "$work/output")"
            return
        fi
        tail -n 1 "$work/time" >>"$work/times.$(echo "$name" | tr ' ' _)"
    done
    sort -n "$work/times.$(echo "$name" | tr ' ' _)" | awk -v name="$name" -v base_file="$work/base" '
        { line[NR] = $0 }
        END {
            split(line[int((NR + 1) / 2)], m, " ")
            if ((getline base < base_file) <= 0) { base = m[1]; print base > base_file }
            printf "%-22s %7.2f s %8.2f s %8.0f MB %7.2f\n", name, m[1], m[2] + m[3], m[4] / 1024, m[1] / base
        }'
    umount "$work/store/root/overlay" 2>/dev/null || true
    rm -rf "$work/store"
}

printf '%s, %s rounds, medians\n\n%-22s %9s %10s %11s %7s\n' "$(cat "$work/size")" "$rounds" "" wall CPU "peak RSS" ratio
export work layers
cat >"$work/plain.sh" <<'SH'
mkdir -p "$work/store"
echo "$layers" | xargs -P 2 -I{} sh -c 'd=$1/$(basename "$2"); mkdir -p "$d"; gzip -dc "$2" | tar -x -C "$d"' _ "$work/store" {}
SH
contestant "gzip | tar" sh "$work/plain.sh"
contestant "nacelle-fetch" "$fetch" fetch "--dir=$work/store" --insecure-options=http "$image"
contestant "skopeo copy" skopeo copy -q --src-tls-verify=false "$image" "dir:$work/store"
contestant "podman pull overlay" podman --root "$work/store/root" --runroot "$work/store/run" --storage-driver overlay pull -q --tls-verify=false "$image"
contestant "podman pull vfs" podman --root "$work/store/root" --runroot "$work/store/run" --storage-driver vfs pull -q --tls-verify=false "$image"

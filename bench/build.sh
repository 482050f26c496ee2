#!/usr/bin/env bash
# nacelle build beside Debian's buildah and podman: a build of ten steps, cold (everything anew) and from a full cache.
# Usage: bench/build.sh [COLD-RUNS [CACHED-RUNS]]     Medians in milliseconds and ratios to buildah, in one run of hyperfine for each; stores in memory.
set -euo pipefail
cd "$(dirname "$0")/.."
cold=${1:-5} cached=${2:-20}
eng/install-packages.sh hyperfine busybox-static jq buildah podman
[ -x artifacts/bin/nacelle-build ] || eng/publish.sh artifacts/bin
work=/dev/shm/nacelle-bench-$$ # in memory, because disks are noisy
mkdir "$work"
trap 'umount -l "$work"/peers/root/overlay 2>/dev/null || :; rm -rf -- "$work"' EXIT

# A context of 400 files of 20 KB, and a base image with busybox alone.
mkdir -p "$work"/base/root/{usr/bin,dev,proc,sys,run,tmp,etc} "$work/context/tree"
cp /bin/busybox "$work/base/root/usr/bin/" && ln -s usr/bin "$work/base/root/bin"
for tool in sh cp rm mkdir cat echo seq find wc; do ln -s busybox "$work/base/root/usr/bin/$tool"; done
echo 'root:x:0:0:root:/root:/bin/sh' >"$work/base/root/etc/passwd"
for i in $(seq 400); do head -c 15000 /dev/urandom | base64 -w0 >"$work/context/tree/$i"; done
echo small >"$work/context/small"
cat >"$work/base/Containerfile" <<'X'
FROM scratch
COPY root /
X
cat >"$work/context/Containerfile" <<'X'
FROM localhost/base
ENV A=1 B=2
COPY tree /tree
RUN cp -r /tree /copy
WORKDIR /work
COPY small .
RUN echo one >one && mkdir -p a/b/c
RUN rm -r /tree && find /copy | wc -l >count
COPY tree /again/
RUN for i in $(seq 100); do echo $i >/work/a/$i; done
LABEL done=yes
CMD ["/bin/sh"]
X

nacelle="$PWD/artifacts/bin/nacelle --dir=$work/data build"
# Both engines on overlayfs; podman and buildah share a store, as they do by default.
storage="--root $work/peers/root --runroot $work/peers/run --storage-driver overlay"
buildah="buildah $storage bud --isolation=chroot --layers --format=oci"
podman="podman $storage --cgroup-manager=cgroupfs build --isolation=chroot --layers --format=oci"
$nacelle --quiet -t base "$work/base" >/dev/null
$buildah -t localhost/base -f "$work/base/Containerfile" "$work/base" >/dev/null 2>&1

measure() { # TITLE RUNS NACELLE'S-FLAG PEERS'-FLAG
    hyperfine --shell=none --warmup 1 --runs "$2" --export-json "$work/result.json" --style none --output null \
        --command-name nacelle "$nacelle $3 -t bench $work/context" \
        --command-name buildah "$buildah $4 -t bench-buildah $work/context" \
        --command-name podman "$podman $4 -t bench-podman $work/context" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
    jq -r --arg title "$1" '(.results[] | select(.command == "buildah")) as $peer | .results[] | [$title, .command, (.median * 1000 | . * 10 | round / 10), (.min * 1000 | . * 10 | round / 10),
        ((.user + .system) * 1000 | . * 10 | round / 10), (.median / $peer.median * 1000 | round / 1000)] | @tsv' "$work/result.json" >>"$work/table"
}
printf 'what\tbuilder\tmedian ms\tmin ms\tcpu ms\ttime, x buildah\n' >"$work/table"
measure "ten steps, cold" "$cold" --no-cache --no-cache
measure "ten steps, cached" "$cached" "" ""
column -t -s "$(printf '\t')" "$work/table"

#!/usr/bin/env bash
# What sealed layers cost (docs/images.md): starting a pod with the check and without, and fetching onto file systems with fs-verity and without.
# Usage: bench/verity.sh [RUNS]     In a guest with Debian's newer kernel, because few kernels have fs-verity: the processor is emulated, so look at ratios.
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${1:-15}
if [ "${2-}" != guest ]; then
    eng/install-packages.sh hyperfine umoci jq busybox-static e2fsprogs
    [ -x artifacts/bin/nacelle ] || eng/publish.sh artifacts/bin
    eng/newer-kernel.sh trixie artifacts/kernel-trixie
    exec eng/guest.sh --timeout 550 --memory 4096 --kernel artifacts/kernel-trixie -- bash bench/verity.sh "$runs" guest
fi

work=/tmp/bench
mkdir -p $work/with $work/without
for disk in with without; do
    truncate -s 1G $work/$disk.image
    mkfs.ext4 -q -b 4096 $([ $disk = with ] && echo -O verity) $work/$disk.image
    mount -o loop $work/$disk.image $work/$disk
done

# An image of one layer, the same with four small ones upon it, and one of many files.
umoci init --layout $work/image && umoci new --image $work/image:one && umoci unpack --image $work/image:one $work/one >/dev/null 2>&1
mkdir -p $work/one/rootfs/{bin,etc,dev,proc,sys,tmp}
cp /bin/busybox $work/one/rootfs/bin/ && ln -s busybox $work/one/rootfs/bin/true
echo root:x:0:0:root:/root:/bin/sh >$work/one/rootfs/etc/passwd
umoci repack --image $work/image:one $work/one >/dev/null 2>&1
umoci config --image $work/image:one --config.cmd /bin/true
umoci tag --image $work/image:one five
for i in 1 2 3 4; do
    mkdir -p $work/layer$i/etc && echo $i >$work/layer$i/etc/file$i
    umoci insert --image $work/image:five $work/layer$i / >/dev/null 2>&1
done
umoci tag --image $work/image:one many
umoci insert --image $work/image:many "$(realpath /usr/share/perl/5.*/ | head -n 1)" /perl >/dev/null 2>&1
umoci insert --image $work/image:many /usr/lib/git-core /git >/dev/null 2>&1

nacelle() { artifacts/bin/nacelle --dir=$work/$1/data "${@:2}"; }
for image in one five; do nacelle with fetch oci:$work/image:$image >/dev/null; done
program="artifacts/bin/nacelle --dir=$work/with/data run --net=none"
hyperfine --shell=none --warmup 3 --runs "$runs" --export-json $work/run.json --style none \
    --command-name "one layer, checked" "$program oci:$work/image:one" --command-name "one layer, unchecked" "$program --insecure-options=ondisk oci:$work/image:one" \
    --command-name "five layers, checked" "$program oci:$work/image:five" --command-name "five layers, unchecked" "$program --insecure-options=ondisk oci:$work/image:five" \
    --command-name "five layers, --verify-images" "$program --verify-images oci:$work/image:five" >/dev/null 2>&1
jq -r '["run", "median ms", "min ms", "cpu ms"], (.results[] | [.command, (.median * 10000 | round / 10), (.min * 10000 | round / 10), ((.user + .system) * 10000 | round / 10)]) | @tsv' $work/run.json

for disk in with without; do
    hyperfine --shell=none --warmup 1 --runs 5 --export-json $work/fetch-$disk.json --style none --prepare "rm -rf $work/$disk/data" \
        --command-name "fetch, $disk fs-verity" "artifacts/bin/nacelle-fetch fetch --dir=$work/$disk/data oci:$work/image:many" >/dev/null 2>&1
    jq -r '.results[] | [.command, (.median * 1000 | round), (.min * 1000 | round), ((.user + .system) * 1000 | round)] | @tsv' $work/fetch-$disk.json
done
echo "files: $(find $work/with/data/layers -type f | wc -l), $(du -sm --apparent-size $work/with/data/layers | cut -f 1) MB; with hash trees: $(du -sm $work/with/data/layers | cut -f 1) MB on the disk, without $(du -sm $work/without/data/layers | cut -f 1) MB; metadata: $(du -cb $work/with/data/layers/*/metadata.erofs | tail -n 1 | cut -f 1) bytes"

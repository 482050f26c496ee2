#!/bin/bash
# Packs a flavor of stage1 as an image: eng/stage1-pack.sh FLAVOR ISOLATION PROGRAM IMAGE DIRECTORY ENTRY-POINT...
# IMAGE is a directory whose rootfs, if there is one, becomes the image's; PROGRAM is put into it, and every entry point is a link to that.
# Makes stage1-FLAVOR.aci in DIRECTORY; the same files give the same image.
set -euo pipefail
[ $# -gt 5 ] || { echo "usage: eng/stage1-pack.sh FLAVOR ISOLATION PROGRAM IMAGE DIRECTORY ENTRY-POINT..." >&2; exit 2; }
flavor=$1 isolation=$2 program=$3 image=$4 directory=$5
shift 5
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
version=$(sed -n 's|.*<Version>\(.*\)</Version>.*|\1|p' "$here/../Directory.Build.props")

mkdir -p "$image/rootfs/$flavor"
install -m 0755 "$program" "$image/rootfs/nacelle-flavors"
annotations="{\"name\": \"nacelle/stage1/isolation\", \"value\": \"$isolation\"}"
[ "$isolation" = none ] || annotations="$annotations, {\"name\": \"nacelle/stage1/networks\", \"value\": \"planned\"}"
for entry in "$@"; do
    ln -s ../nacelle-flavors "$image/rootfs/$flavor/$entry"
    annotations="$annotations, {\"name\": \"coreos.com/rkt/stage1/$entry\", \"value\": \"/$flavor/$entry\"}"
done
cat >"$image/manifest" <<JSON
{"acKind": "ImageManifest", "acVersion": "0.8.11", "name": "nacelle/stage1-$flavor",
 "labels": [{"name": "version", "value": "$version"}, {"name": "os", "value": "linux"}],
 "annotations": [{"name": "coreos.com/rkt/stage1/interface-version", "value": "6"}, {"name": "nacelle/stage1/failures", "value": "reported"}, $annotations]}
JSON
tar --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -C "$image" -cf "$directory/stage1-$flavor.aci.new" manifest rootfs
mv "$directory/stage1-$flavor.aci.new" "$directory/stage1-$flavor.aci"

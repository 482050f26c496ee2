#!/bin/bash
# Packs the flavors of stage1 that need nothing but nacelle-flavors as images: eng/stage1-images.sh PROGRAM DIRECTORY
# Makes stage1-fly.aci and stage1-oci.aci in the directory. The same program gives the same images.
set -euo pipefail
[ $# -eq 2 ] || { echo "usage: eng/stage1-images.sh PROGRAM DIRECTORY" >&2; exit 2; }
program=$(realpath -- "$1")
mkdir -p -- "$2"
directory=$(realpath -- "$2")
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
version=$(sed -n 's|.*<Version>\(.*\)</Version>.*|\1|p' "$here/../Directory.Build.props")
scratch=$(mktemp -d)
trap 'rm -rf -- "$scratch"' EXIT

pack() { # FLAVOR ISOLATION VERB...
    local flavor=$1 image=$scratch/$1 annotations verb
    annotations="{\"name\": \"nacelle/stage1/isolation\", \"value\": \"$2\"}"
    shift 2
    mkdir -p "$image/rootfs/$flavor"
    install -m 0755 "$program" "$image/rootfs/nacelle-flavors"
    for verb in "$@"; do
        ln -s ../nacelle-flavors "$image/rootfs/$flavor/$verb"
        annotations="$annotations, {\"name\": \"coreos.com/rkt/stage1/$verb\", \"value\": \"/$flavor/$verb\"}"
    done
    cat >"$image/manifest" <<JSON
{"acKind": "ImageManifest", "acVersion": "0.8.11", "name": "nacelle/stage1-$flavor",
 "labels": [{"name": "version", "value": "$version"}, {"name": "os", "value": "linux"}],
 "annotations": [{"name": "coreos.com/rkt/stage1/interface-version", "value": "6"}, {"name": "nacelle/stage1/failures", "value": "reported"}, $annotations]}
JSON
    tar --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -C "$image" -cf "$directory/stage1-$flavor.aci.new" manifest rootfs
    mv "$directory/stage1-$flavor.aci.new" "$directory/stage1-$flavor.aci"
}

pack fly none run enter stop
pack oci pod run enter stop gc

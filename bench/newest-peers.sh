#!/usr/bin/env bash
# Puts the newest crun and runc that Debian has (its unstable distribution) into a directory, with the libraries that they need, so that they run beside
# an older C library. Usage: bench/newest-peers.sh DIRECTORY     Afterwards: DIRECTORY/crun, DIRECTORY/runc
set -euo pipefail
[ $# -eq 1 ] || { echo "usage: bench/newest-peers.sh DIRECTORY" >&2; exit 2; }
cd "$(dirname "$0")/.."
eng/install-packages.sh patchelf xz-utils curl
directory=$(realpath -m -- "$1")
[ ! -x "$directory/crun" ] || [ ! -x "$directory/runc" ] || exit 0
mirror=$(awk '/^URIs:/ {print $2; exit} /^deb / {print ($2 ~ /^\[/ ? $3 : $2); exit}' /etc/apt/sources.list.d/*.sources /etc/apt/sources.list 2>/dev/null)
mirror=${mirror%/}
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
curl -fsS "$mirror/dists/sid/main/binary-$(dpkg --print-architecture)/Packages.xz" | xz -dc >"$work/packages"
mkdir -p "$directory/tree"
for package in crun runc libc6 libcap2 libseccomp2 libsystemd0 libjson-c5 libblake3-0 libgcc-s1 libtbb12 libstdc++6; do
    file=$(awk -v p="$package" '$1 == "Package:" {found = ($2 == p)} found && $1 == "Filename:" {print $2; exit}' "$work/packages")
    [ -n "$file" ] || { echo "Debian's unstable distribution has no $package" >&2; exit 1; }
    curl -fsS -o "$work/package.deb" "$mirror/$file"
    dpkg-deb -x "$work/package.deb" "$directory/tree"
done
loader=$(find "$directory/tree" -name 'ld-linux-*.so.*' -print -quit)
libraries=$(find "$directory/tree" -name 'libc.so.6' -printf '%h\n' -quit)
for program in crun runc; do
    cp "$(find "$directory/tree" -path "*bin/$program" -type f)" "$directory/$program"
    patchelf --set-interpreter "$loader" --set-rpath "$libraries" "$directory/$program"
done
"$directory/crun" --version | sed -n 1p
"$directory/runc" --version | sed -n 1p

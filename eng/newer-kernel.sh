#!/bin/bash
# Puts the kernel of a newer Debian release into a directory, for guests (eng/guest.sh --kernel DIRECTORY); nothing is installed.
# Usage: eng/newer-kernel.sh RELEASE DIRECTORY     (RELEASE: trixie)     Afterwards: DIRECTORY/boot/vmlinuz-…, DIRECTORY/lib/modules/…
set -euo pipefail
[ $# -eq 2 ] || { echo "usage: eng/newer-kernel.sh RELEASE DIRECTORY" >&2; exit 2; }
cd "$(dirname "${BASH_SOURCE[0]}")/.."
release=$1 directory=$(realpath -m -- "$2")
[ ! -e "$directory/.complete" ] || exit 0
eng/install-packages.sh curl xz-utils kmod
mirror=$(awk '/^URIs:/ {print $2; exit} /^deb / {print ($2 ~ /^\[/ ? $3 : $2); exit}' /etc/apt/sources.list.d/*.sources /etc/apt/sources.list 2>/dev/null)
mirror=${mirror%/}
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
curl -fsS "$mirror/dists/$release/main/binary-amd64/Packages.xz" | xz -dc >"$work/packages"
field() { awk -v p="$1" -v f="$2:" '$1 == "Package:" {found = ($2 == p)} found && $1 == f {$1 = ""; print substr($0, 2); exit}' "$work/packages"; }
package=$(field linux-image-cloud-amd64 Depends | sed 's/ .*//')
curl -fsS -o "$work/package.deb" "$mirror/$(field "$package" Filename)"
[ "$(sha256sum <"$work/package.deb" | cut -d ' ' -f 1)" = "$(field "$package" SHA256)" ] || { echo "newer-kernel: $package came damaged" >&2; exit 1; }
rm -rf -- "$directory"
mkdir -p "$directory/lib"
dpkg-deb -x "$work/package.deb" "$work/tree"
mv "$work/tree/boot" "$directory/boot"
mv "$(find "$work/tree" -path '*lib/modules' -type d)" "$directory/lib/modules"
find "$directory/lib/modules" -name '*.ko.xz' -exec xz -d {} + # the guest's insmod reads none of them
for modules in "$directory"/lib/modules/*; do depmod -b "$directory" "$(basename "$modules")"; done
touch "$directory/.complete"

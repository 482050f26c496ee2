#!/bin/bash
# Builds the stage1 image of the flavor systemd out of Debian's systemd packages: eng/systemd-image.sh PROGRAM DIRECTORY
# PROGRAM is nacelle-flavors; the result is stage1-systemd.aci in the directory. Nothing is installed on this machine, and no system is either in the image: only
# systemd, its journal, systemd-nspawn and the libraries that these need. What one Debian has gives the same image each time.
set -euo pipefail
[ $# -eq 2 ] || { echo "usage: eng/systemd-image.sh PROGRAM DIRECTORY" >&2; exit 2; }
program=$(realpath -- "$1")
mkdir -p -- "$2"
directory=$(realpath -- "$2")
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
scratch=$(mktemp -d)
trap 'rm -rf -- "$scratch"' EXIT

# With an empty list of installed packages, apt downloads all that systemd needs, and checks the signatures of it.
mkdir -p "$scratch/archives/partial" "$scratch/tree"
: >"$scratch/status"
chmod 755 "$scratch"
apt-get -qq --no-install-recommends --download-only --yes \
    -o Dir::State::status="$scratch/status" -o Dir::Cache::archives="$scratch/archives" -o APT::Sandbox::User=root -o Debug::NoLocking=1 \
    install systemd systemd-container dash >/dev/null
for package in "$scratch"/archives/*.deb; do
    dpkg-deb --extract "$package" "$scratch/tree"
done

# One /usr, whatever the packages have.
for name in bin sbin lib lib64; do
    mkdir -p "$scratch/tree/usr/$name"
    [ ! -d "$scratch/tree/$name" ] || { cp -a "$scratch/tree/$name/." "$scratch/tree/usr/$name/"; rm -rf "${scratch:?}/tree/$name"; }
    ln -s "usr/$name" "$scratch/tree/$name"
done

image=$scratch/image root=$scratch/image/rootfs
mkdir -p "$root"/{etc/systemd/system,var/log/journal,run,tmp,root,proc,sys,dev,systemd} "$root"/usr/{bin,sbin,lib/systemd/system,lib64}
for name in bin sbin lib lib64; do ln -s "usr/$name" "$root/$name"; done
libraries=usr/lib/$(gcc -print-multiarch 2>/dev/null || echo x86_64-linux-gnu)

# Takes a file of the tree along with what it is linked to; links to libraries are followed by the names that programs ask for.
take() { # PATH
    [ ! -e "$root/$1" ] || return 0
    mkdir -p "$root/$(dirname "$1")"
    cp -L --preserve=mode "$scratch/tree/$1" "$root/$1"
    local needed
    for needed in $(objdump -p "$root/$1" 2>/dev/null | awk '$1 == "NEEDED" { print $2 }'); do
        for place in "$libraries" "$libraries/systemd" usr/lib64; do
            [ ! -e "$scratch/tree/$place/$needed" ] || { take "$place/$needed"; break; }
        done
    done
}
for file in usr/lib/systemd/{systemd,systemd-journald,systemd-shutdown,systemd-cgroups-agent} usr/bin/{systemctl,journalctl,systemd-nspawn,dash}; do take "$file"; done
ln -s dash "$root/usr/bin/sh"
# What they load only when they want it: compression and sealing of the journal, and filters.
for library in libzstd.so.1 liblz4.so.1 liblzma.so.5 libgcrypt.so.20 libgpg-error.so.0 libseccomp.so.2 libip4tc.so.2; do take "$libraries/$library"; done
loader=$(cd "$scratch/tree" && echo usr/lib64/ld-linux-*.so.*)
[ -e "$scratch/tree/$loader" ] || loader=$(cd "$scratch/tree" && echo usr/lib/ld-linux-*.so.*)
take "$loader"

for unit in systemd-journald.service systemd-journal-flush.service systemd-journald.socket systemd-journald-dev-log.socket shutdown.target final.target umount.target exit.target systemd-exit.service \
    -.slice system.slice slices.target sockets.target sigpwr.target; do
    [ ! -e "$scratch/tree/usr/lib/systemd/system/$unit" ] || cp -L --preserve=mode "$scratch/tree/usr/lib/systemd/system/$unit" "$root/usr/lib/systemd/system/"
done
cp -a "$here/systemd-image/." "$root/usr/lib/systemd/system/"
mv "$root/usr/lib/systemd/system/reaper.sh" "$root/systemd/reaper.sh"
# Whoever asks the pod to halt asks it to end: all four lead to the exit of PID 1, with the pod's code.
for name in halt poweroff reboot; do ln -s exit.target "$root/usr/lib/systemd/system/$name.target"; done
mkdir -p "$root/etc/systemd/journald.conf.d"
printf '[Journal]\nStorage=persistent\nForwardToSyslog=no\nForwardToWall=no\n' >"$root/etc/systemd/journald.conf.d/pod.conf"
printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n' >"$root/etc/passwd"
printf 'root:x:0:\nadm:x:4:\nsystemd-journal:x:999:\nnogroup:x:65534:\n' >"$root/etc/group"
printf 'NAME=Nacelle\nID=nacelle\nPRETTY_NAME="Nacelle stage1, from Debian"\n' >"$root/usr/lib/os-release"
ln -s ../usr/lib/os-release "$root/etc/os-release"
chmod 1777 "$root/tmp"

for part in prepare-app ready; do ln -s ../nacelle-flavors "$root/systemd/$part"; done
"$here/stage1-pack.sh" systemd pod "$program" "$image" "$directory" run enter stop gc

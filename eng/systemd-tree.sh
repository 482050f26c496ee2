#!/bin/bash
# Makes the tree of a small Debian with systemd, for eng/systemd-host.sh (a minute or two). Whoever comes while another makes it waits.
# Usage: eng/systemd-tree.sh DIRECTORY
set -euo pipefail
tree=$(realpath -m -- "${1:?usage: eng/systemd-tree.sh DIRECTORY}")
mkdir -p "$(dirname "$tree")"
exec 9>"$tree.lock"
flock 9
[ ! -e "$tree/.complete" ] || exit 0

"$(dirname "$(realpath "${BASH_SOURCE[0]}")")/install-packages.sh" debootstrap systemd-container >&2
echo "making a Debian with systemd (two minutes, once)" >&2

# In a mount namespace of its own: what debootstrap mounts in the tree (proc among it) is gone when it ends, however it ends, and nothing is removed through it.
unshare --mount --propagation private -- sh -euc '
    new=$1.new
    rm -rf --one-file-system "$1" "$new"
    mkdir "$new"
    debootstrap --variant=minbase --include=systemd,dbus,dbus-user-session,libpam-systemd,systemd-container bookworm "$new"
    chroot "$new" useradd --uid 1000 --create-home --shell /bin/sh tester
    find "$new/var/cache/apt/archives" "$new/var/lib/apt/lists" -type f -delete
    touch "$new/.complete"
    mv -T "$new" "$1"' sh "$tree" >"$tree.log" 2>&1 9>&- || { tail -n 20 "$tree.log" >&2; exit 1; }

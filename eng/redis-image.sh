#!/usr/bin/env bash
# Builds an OCI image of redis out of Debian's redis-server package and what that depends on: eng/redis-image.sh DIRECTORY
# The result is an OCI layout with one image, tagged "redis". Nothing is installed on this machine.
set -euo pipefail
[ $# -eq 1 ] || { echo "usage: eng/redis-image.sh DIRECTORY" >&2; exit 2; }
layout=$1
scratch=$(mktemp -d)
trap 'rm -rf -- "$scratch"' EXIT

# With an empty list of installed packages, apt downloads all that redis needs, and checks the signatures of it.
mkdir -p "$scratch/archives/partial"
: >"$scratch/status"
chmod 755 "$scratch"
apt-get -qq --no-install-recommends --download-only --yes \
    -o Dir::State::status="$scratch/status" -o Dir::Cache::archives="$scratch/archives" -o APT::Sandbox::User=root -o Debug::NoLocking=1 \
    install redis-server redis-tools >/dev/null

umoci init --layout "$layout"
umoci new --image "$layout:redis"
umoci unpack --image "$layout:redis" "$scratch/bundle" >/dev/null
root=$scratch/bundle/rootfs
for package in "$scratch"/archives/*.deb; do
    dpkg-deb --extract "$package" "$root"
done
rm -rf "$root"/usr/share/{doc,man,locale,info,lintian} "$root"/usr/lib/x86_64-linux-gnu/perl-base "$root"/var/lib/dpkg

printf 'root:x:0:0:root:/root:/bin/sh\nredis:x:999:999::/data:/usr/sbin/nologin\n' >"$root/etc/passwd"
printf 'root:x:0:\nredis:x:999:\n' >"$root/etc/group"
install -d -o 999 -g 999 -m 0750 "$root/data"
install -d -m 1777 "$root/tmp"
umoci repack --image "$layout:redis" "$scratch/bundle" >/dev/null
umoci config --image "$layout:redis" \
    --config.user redis --config.workingdir /data --config.volume /data --config.exposedports 6379/tcp \
    --config.env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    --config.entrypoint redis-server --config.cmd --bind --config.cmd 127.0.0.1 --config.stopsignal SIGTERM
umoci gc --layout "$layout" >/dev/null

#!/bin/bash
# Runs a command in a small virtual machine with Debian's kernel and pure cgroup v2, and returns its output and exit code (five seconds and what it takes).
# Usage: eng/guest.sh [--timeout SECONDS] [--memory MEGABYTES] [--share DIRECTORY] [--security apparmor|selinux] [--kernel DIRECTORY] -- COMMAND [ARGUMENT...]
#
# The guest sees the host's root file system and the working directory read-only, under a layer in memory that takes what it writes; /tmp, /run and
# /dev are its own. /run/share is the one directory that the host sees too (--share, or a temporary one). Code 124: the time was up;
# 125: the guest did not come so far. Debian's kernel has AppArmor and SELinux, and --security says which of them watches; SELinux waits for a policy.
# --kernel: another kernel than the installed one, from a directory that eng/newer-kernel.sh has filled.
#
# The processor is emulated, so this runs also where virtual machines cannot nest. The machine is a q35: microvm boots half a second sooner, but
# with neither HPET nor PM timer it hangs now and then in the calibration of its clocks when the host is busy. Files come by virtiofs because Debian's
# cloud kernel has no 9p.
set -uo pipefail

timeout=300 memory=2048 share= security=apparmor root=
while [ $# -gt 0 ]; do
    case $1 in
        --timeout) timeout=$2; shift 2 ;;
        --memory) memory=$2; shift 2 ;;
        --share) share=$(realpath "$2"); shift 2 ;;
        --security) security=$2; shift 2 ;;
        --kernel) root=$(realpath "$2"); shift 2 ;;
        --) shift; break ;;
        *) echo "usage: eng/guest.sh [--timeout SECONDS] [--memory MEGABYTES] [--share DIRECTORY] [--security apparmor|selinux] [--kernel DIRECTORY] -- COMMAND [ARGUMENT...]" >&2; exit 125 ;;
    esac
done
[ $# -gt 0 ] || { echo "guest: no command" >&2; exit 125; }
[ "$(id -u)" -eq 0 ] || { echo "guest: needs root" >&2; exit 125; }
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")

"$here/install-packages.sh" qemu-system-x86 linux-image-cloud-amd64 busybox-static cpio kmod || exit 125
kernel=$(printf '%s\n' "$root"/boot/vmlinuz-*-cloud-amd64 | sort -V | tail -n 1)
version=${kernel#"$root"/boot/vmlinuz-}

work=$(mktemp -d)
daemon= machine=
clean() {
    for process in $machine $daemon; do kill "$process" 2>/dev/null; done
    wait 2>/dev/null
    rm -rf "$work"
}
trap clean EXIT
trap 'exit 125' INT TERM

if [ -z "$share" ]; then
    share=$work/share
    mkdir "$share"
fi

# The initial file system: busybox, the modules in the order in which they load, and our init.
initial=$work/initial
mkdir -p "$initial/bin" "$initial/modules"
cp /bin/busybox "$initial/bin/"
cp "$here/guest/init" "$initial/init"
chmod +x "$initial/init"
for module in virtio_pci virtiofs overlay veth bridge tun br_netfilter nf_tables nft_chain_nat nft_masq ip_tables iptable_nat xt_MASQUERADE loop squashfs erofs dm_verity bfq; do
    modprobe -d "$root/" -S "$version" -n --show-depends "$module" 2>/dev/null | awk '$1 == "insmod" { print $2 }'
done | awk '!seen[$0]++' >"$work/modules"
while read -r file; do
    cp "$file" "$initial/modules/"
    basename "$file"
done <"$work/modules" >"$initial/modules/order"
(cd "$initial" && find . | cpio -o -H newc --quiet) >"$work/initial.cpio"

{
    echo "cd $(printf %q "$PWD")"
    echo "export PATH=$(printf %q "$PATH") HOME=/root TERM=dumb"
    [ -z "${DOTNET_ROOT:-}" ] || echo "export DOTNET_ROOT=$(printf %q "$DOTNET_ROOT")"
    printf '%q ' "$@"
    echo '</dev/null >>/run/share/.output 2>&1'
    echo 'echo $? >/run/share/.code'
    echo 'sync; echo o >/proc/sysrq-trigger; echo b >/proc/sysrq-trigger; sleep 10'
} >"$share/run"
: >"$share/.output"
rm -f "$share/.code"

# The file server sees the host's root file system, the working directory and the .NET installation through mounts of its own that cannot be
# written; the shared directory, which can, appears as /mnt.
dotnet=$(dirname "$(realpath "$(command -v dotnet || echo /usr/bin/dotnet)")")
unshare --mount --propagation private bash -c '
    work=$1 share=$2
    shift 2
    mkdir "$work/root"
    mount --bind / "$work/root" && mount --bind "$share" "$work/root/mnt" && mount -o remount,bind,ro "$work/root" || exit 1
    for directory in "$@"; do
        [ "$(stat -c %m "$directory")" = / ] && continue
        mount --bind "$directory" "$work/root$directory" && mount -o remount,bind,ro "$work/root$directory" || exit 1
    done
    exec /usr/lib/qemu/virtiofsd --socket-path="$work/socket" -o source="$work/root" -o sandbox=chroot -o cache=always -o xattr -o allow_direct_io
' bash "$work" "$share" "$PWD" "$dotnet" >"$work/daemon.log" 2>&1 &
daemon=$!
for _ in $(seq 100); do [ -S "$work/socket" ] && break; sleep 0.05; done

timeout "$timeout" qemu-system-x86_64 -M q35,memory-backend=memory,smm=off,sata=off,smbus=off,usb=off,vmport=off -accel tcg,thread=multi -cpu max -smp 2 -m "$memory" \
    -object memory-backend-memfd,id=memory,size="${memory}M",share=on \
    -chardev socket,id=host,path="$work/socket" -device vhost-user-fs-pci,chardev=host,tag=host,queue-size=1024 \
    -kernel "$kernel" -initrd "$work/initial.cpio" -append "console=ttyS0 quiet oops=panic panic=-1 reboot=t security=$security" \
    -nodefaults -no-user-config -nographic -serial file:"$work/console" -no-reboot >"$work/machine.log" 2>&1 &
machine=$!

tail -n +1 -s 0.1 -f --pid="$machine" "$share/.output"
wait "$machine"
ended=$?
machine=

if [ -s "$share/.code" ]; then
    code=$(cat "$share/.code")
    rm -f "$share/run" "$share/.code" "$share/.output"
    exit "$code"
fi
if [ "$ended" -eq 124 ]; then
    echo "guest: not finished within $timeout seconds" >&2
    code=124
else
    echo "guest: did not run the command" >&2
    code=125
fi
tail -n 30 "$work/daemon.log" "$work/machine.log" "$work/console" >&2
exit "$code"

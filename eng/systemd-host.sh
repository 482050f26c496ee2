#!/bin/bash
# Runs a command on a small Debian whose process 1 is systemd, and returns its output and exit code (two seconds and what it takes).
# Usage: eng/systemd-host.sh [--timeout SECONDS] [--unified] [--share DIRECTORY] -- COMMAND [ARGUMENT...]
#
# The host is a container of systemd-nspawn over a tree that eng/systemd-tree.sh makes once, in artifacts/systemd-host. It sees the working directory, busybox and the .NET
# installation read-only, has a network of its own, and what it writes is lost, but for /run/share: the one directory that both sides see (--share, or a temporary one). A
# user "tester" (1000) has a systemd of its own. Control groups are those of the machine: where the controllers are in version 1, or with --unified,
# systemd names its groups there and limits nothing; in eng/guest.sh it limits. Code 124: the time was up; 125: the host did not come so far.
set -uo pipefail

timeout=120 share= unified=
while [ $# -gt 0 ]; do
    case $1 in
        --timeout) timeout=$2; shift 2 ;;
        --unified) unified=yes; shift ;;
        --share) share=$(realpath "$2"); shift 2 ;;
        --) shift; break ;;
        *) echo "usage: eng/systemd-host.sh [--timeout SECONDS] [--unified] [--share DIRECTORY] -- COMMAND [ARGUMENT...]" >&2; exit 125 ;;
    esac
done
[ $# -gt 0 ] || { echo "systemd-host: no command" >&2; exit 125; }
[ "$(id -u)" -eq 0 ] || { echo "systemd-host: needs root" >&2; exit 125; }
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
tree=$(dirname "$here")/artifacts/systemd-host

[ -e "$tree/.complete" ] || "$here/systemd-tree.sh" "$tree" || exit 125

work=$(mktemp -d)
groups=()
container=
clean() {
    [ -z "$container" ] || kill "$container" 2>/dev/null
    wait 2>/dev/null
    for group in "${groups[@]}"; do
        for _ in $(seq 50); do
            find "$group" -depth -type d -exec rmdir {} + 2>/dev/null
            [ -d "$group" ] || break
            sleep 0.1
        done
    done
    rm -rf "$work"
}
trap clean EXIT
trap 'exit 125' INT TERM

if [ -z "$share" ]; then
    share=$work/share
    mkdir "$share"
fi

# nspawn makes groups below its own: it gets one that can be taken away afterwards, and to itself, so that those below can have controllers.
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    for controller in $(cat /sys/fs/cgroup/cgroup.controllers); do echo "+$controller" >/sys/fs/cgroup/cgroup.subtree_control; done
fi
for parent in /sys/fs/cgroup /sys/fs/cgroup/unified /sys/fs/cgroup/systemd; do
    [ -e "$parent/cgroup.procs" ] || continue
    mkdir "$parent/nacelle-systemd-$$" && groups+=("$parent/nacelle-systemd-$$")
done

dotnet=$(dirname "$(realpath "$(command -v dotnet || echo /usr/bin/dotnet)")")
{
    echo "cd $(printf %q "$PWD")"
    echo "export PATH=$(printf %q "$PATH:$dotnet") HOME=/root TERM=dumb"
    [ -z "${DOTNET_ROOT:-}" ] || echo "export DOTNET_ROOT=$(printf %q "$DOTNET_ROOT")"
    printf '%q ' "$@"
    echo '</dev/null >/run/share/.output 2>&1'
    echo 'echo $? >/run/share/.code'
} >"$share/run"
: >"$share/.output"
rm -f "$share/.code"
cat >"$work/command.service" <<'UNIT'
[Unit]
Requires=dbus.socket systemd-logind.service
After=dbus.socket systemd-logind.service systemd-user-sessions.service
[Service]
Type=oneshot
ExecStart=/bin/sh /run/share/run
ExecStopPost=/bin/systemctl --no-block --force exit
UNIT

binds=(--bind="$share:/run/share" --bind-ro="$PWD" --bind-ro="$work/command.service:/etc/systemd/system/command.service")
[ ! -x "$dotnet/dotnet" ] || binds+=(--bind-ro="$dotnet")
[ ! -x /bin/busybox ] || binds+=(--bind-ro=/bin/busybox)
[ -z "$unified" ] || export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1
join='for group in $GROUPS_TO_JOIN; do echo $$ >"$group/cgroup.procs"; done; exec systemd-nspawn "$@"'
GROUPS_TO_JOIN=${groups[*]} timeout "$timeout" sh -c "$join" nspawn --quiet --boot --register=no --keep-unit --volatile=overlay --private-network --capability=CAP_BPF,CAP_NET_ADMIN --system-call-filter=bpf --machine="nacelle-$$" --directory="$tree" --console=pipe \
    "${binds[@]}" systemd.unit=command.service >"$work/console" 2>&1 </dev/null &
container=$!
wait "$container"
ended=$?
container=

cat "$share/.output"
if [ -s "$share/.code" ]; then
    code=$(cat "$share/.code")
    rm -f "$share/run" "$share/.code" "$share/.output"
    exit "$code"
fi
if [ "$ended" -eq 124 ]; then
    echo "systemd-host: not finished within $timeout seconds" >&2
    code=124
else
    echo "systemd-host: did not run the command" >&2
    code=125
fi
tail -n 30 "$work/console" >&2
exit "$code"

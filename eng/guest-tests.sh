#!/bin/bash
# Runs tests in guests, where control groups are of version 2 alone, systemd limits them, AppArmor or SELinux watches, and files can be under fs-verity.
# Usage: eng/guest-tests.sh CONFIGURATION RESULTS-DIRECTORY RUN...     (RUN: kernel, network, oci, systemd, selinux, verity)
# Leaves of each run its report and output there, guest-RUN.json and guest-RUN.log, and its exit code in guest-RUN.code.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
configuration=$1 results=$2
shift 2

# What is the same in every kernel has been tested outside, where it takes a twentieth of the time.
filters() {
    case $1 in
        kernel) printf ' --filter-not-class Nacelle.Kernel.Tests.%s' SeccompCompilerTests DeviceProgramTests ;;
        network) printf " --filter-method '*irtual_network*' '*DebianPluginTests.A_device_of_*' '*DebianPluginTests.A_device_in_*'" ;; # devices that kernels may lack
        oci) printf " --filter-method 'Nacelle.Oci.Tests.%s'" {AppArmor,Cgroup,Delete,DeviceRule,Events,Features,Kill,LifeCycle,Resource,State}'Tests.*' \
            'EscapeTests.A_program_*' 'EscapeTests.Kernel_*' ;;
        systemd) printf " --filter-method 'Nacelle.Oci.Tests.SystemdTests.*'" ;;
        selinux) printf " --filter-method 'Nacelle.Oci.Tests.SelinuxTests.*'" ;;
        verity) printf ' --filter-class Nacelle.EndToEnd.Tests.VerityTests' ;;
        *) echo "guest-tests: there is no run '$1'" >&2; exit 2 ;;
    esac
}

# The command of a run, for a directory that it sees as /run/share.
command_of() {
    local project=Nacelle.Oci.Tests
    [ "$1" != kernel ] || project=Nacelle.Kernel.Tests
    [ "$1" != network ] || project=Nacelle.Network.Tests
    [ "$1" != verity ] || project=Nacelle.EndToEnd.Tests
    echo "env DOTNET_TieredPGO=0 dotnet exec tests/$project/bin/$configuration/net10.0/$project.dll --no-ansi --no-progress --results-directory /run/share" \
        "--report-xunit-ctrf --report-xunit-ctrf-filename guest-$1.json $(filters "$1")"
}

# Runs in one guest, one after the other.
boot() { # SECURITY RUN...
    local security=$1 share=$results/guest run kernel=()
    shift
    [ $# -gt 0 ] || return 0
    rm -rf "$share"
    mkdir -p "$share/systemd"
    [ "$1" != verity ] || { eng/newer-kernel.sh trixie artifacts/kernel-trixie; kernel=(--kernel artifacts/kernel-trixie); }
    for run in "$@"; do
        if [ "$run" = systemd ]; then
            [ -e artifacts/systemd-host/.complete ] || eng/systemd-host.sh -- true >&2 # the guest has no network to make it by
            echo "eng/systemd-host.sh --timeout 200 --share /run/share/systemd -- $(command_of systemd) >/run/share/guest-systemd.log 2>&1"
        else
            echo "$(command_of "$run") >/run/share/guest-$run.log 2>&1"
        fi
        echo "echo \$? >/run/share/guest-$run.code"
    done >"$share/tests"
    # An emulated processor now and then takes a kernel down with it; a run that has not begun to tell anything is given one more machine.
    eng/guest.sh --timeout 600 --security "$security" "${kernel[@]}" --share "$share" -- sh /run/share/tests || true
    if [ -z "$(find "$share" -name 'guest-*.code' -print -quit)" ]; then
        echo "guest-tests: the machine ended before its first run did; once more" >&2
        eng/guest.sh --timeout 600 --security "$security" "${kernel[@]}" --share "$share" -- sh /run/share/tests || true
    fi
    find "$share" -name 'guest-*' -exec mv -t "$results" {} +
    rm -rf "$share"
}

rm -f "$results"/guest-*
together=() alone=() newer=()
for run in "$@"; do
    case $run in
        selinux) alone+=("$run") ;;
        verity) newer+=("$run") ;;
        *) together+=("$run") ;;
    esac
done
boot apparmor "${together[@]}"
boot selinux "${alone[@]}" # a kernel that has got a policy keeps one
boot apparmor "${newer[@]}" # what Debian 12's kernel cannot do

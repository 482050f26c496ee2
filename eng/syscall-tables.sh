#!/bin/bash
# Writes src/Nacelle.Linux/SyscallTable.Data.cs from the kernel headers of Debian's linux-libc-dev packages.
# Run by hand when the tables are to know a newer kernel; the result is committed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
eng/install-packages.sh gcc linux-libc-dev linux-libc-dev-arm64-cross linux-libc-dev-armhf-cross

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The names come from the macros that a header defines, the numbers from letting the preprocessor expand them:
# some are sums and some are defined by way of others.
table() { # NAME, then the preprocessor's arguments
    local name=$1
    shift
    gcc -E -dM "$@" -x c - <<<'#include <asm/unistd.h>' |
        awk '$1 == "#define" && $2 ~ /^(__NR_|__ARM_NR_)[a-z0-9_]+$/ && $2 !~ /^__NR_(arch_specific_syscall|syscalls)$/ { print $2 }' >"$work/names"
    {
        echo '#include <asm/unistd.h>'
        echo '#ifdef __X32_SYSCALL_BIT'
        echo '#undef __X32_SYSCALL_BIT'
        echo '#define __X32_SYSCALL_BIT 0'
        echo '#endif'
        while read -r macro; do echo "@${macro#__*NR_}@ $macro"; done <"$work/names"
    } | gcc -E -P "$@" -x c - | sed -n 's/^@\(.*\)@ \(.*\)$/\1 \2/p' |
        while read -r call number; do
            case $call in cmpxchg | base) continue ;; esac
            echo "$call $((number))"
        done | sort >"$work/$name"

    # Calls later than these headers. Since Linux 5.1 a new call has one number everywhere.
    while read -r number call; do
        grep -q "^$call " "$work/$name" || echo "$call $number" >>"$work/$name"
    done <<'LATER'
451 cachestat
452 fchmodat2
453 map_shadow_stack
454 futex_wake
455 futex_wait
456 futex_requeue
457 statmount
458 listmount
459 lsm_get_self_attr
460 lsm_set_self_attr
461 lsm_list_modules
462 mseal
463 setxattrat
464 getxattrat
465 listxattrat
466 removexattrat
467 open_tree_attr
468 file_getattr
469 file_setattr
LATER
}

table x86_64 -nostdinc -isystem /usr/include/x86_64-linux-gnu -isystem /usr/include
table x32 -mx32 -nostdinc -isystem /usr/include/x86_64-linux-gnu -isystem /usr/include
table x86 -m32 -nostdinc -isystem /usr/include/x86_64-linux-gnu -isystem /usr/include
table aarch64 -nostdinc -isystem /usr/aarch64-linux-gnu/include
table arm -D__ARM_EABI__ -nostdinc -isystem /usr/arm-linux-gnueabihf/include
echo "uretprobe 335" >>"$work/x86_64" # x86-64 only, Linux 6.11

cut -d' ' -f1 "$work"/{x86_64,x86,x32,aarch64,arm} | LC_ALL=C sort -u >"$work/all"

{
    cat <<'HEAD'
// Written by eng/syscall-tables.sh from the kernel's headers; change that script, not this file.
namespace Nacelle.Linux;

public static partial class SyscallTable
{
    /// <summary>Every name, in the order of its bytes, one space after each.</summary>
    static ReadOnlySpan<byte> Names =>
HEAD
    awk '{ line = line $1 " " } length(line) > 130 { printf "%s        \"%s\"u8", sep, line; sep = " +\n"; line = "" }
         END { if (line != "") printf "%s        \"%s\"u8", sep, line; print ";" }' "$work/all"
    echo
    echo "    /// <summary>Where each name starts in <see cref=\"Names\"/>, and at last their length.</summary>"
    echo "    static ReadOnlySpan<ushort> Starts =>"
    echo "    ["
    awk '{ print at + 0; at += length($1) + 1 } END { print at }' "$work/all" | paste -sd' ' | fold -s -w 130 | sed 's/ *$//; s/ /, /g; s/^/        /; s/$/,/'
    echo "    ];"
    for column in x86_64:X64 x86:X86 x32:X32 aarch64:Arm64 arm:Arm; do
        echo
        echo "    static ReadOnlySpan<int> ${column#*:} =>"
        echo "    ["
        awk 'NR == FNR { number[$1] = $2; next } { print ($1 in number) ? number[$1] : -1 }' "$work/${column%:*}" "$work/all" |
            paste -sd' ' | fold -s -w 130 | sed 's/ *$//; s/ /, /g; s/^/        /; s/$/,/'
        echo "    ];"
    done
    echo "}"
} >src/Nacelle.Linux/SyscallTable.Data.cs
wc -l "$work"/{x86_64,x86,x32,aarch64,arm,all}

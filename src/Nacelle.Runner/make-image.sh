#!/usr/bin/env bash
# Compiles the runner's assembly ahead of time, links it without any library, and writes the executable as C#: make-image.sh ILC ASSEMBLY ARCHITECTURE OUTPUT.cs
set -euo pipefail
ilc=$1 assembly=$2 architecture=$3 output=$4
work=$(dirname "$output")
"$ilc" "$assembly" -o "$work/runner.o" --systemmodule:nacelle-runner -O --noscan --targetos:linux --targetarch:"$architecture"
gcc -nostdlib -static -s -o "$work/runner" "$work/runner.o" "start-$architecture.S" \
    -Wl,--gc-sections,--build-id=none,-z,noseparate-code,-z,noexecstack,--orphan-handling=place
{
    echo '// Made by src/Nacelle.Runner/make-image.sh.'
    echo 'namespace Nacelle.Linux;'
    echo 'static partial class Runner'
    echo '{'
    echo '    static System.ReadOnlySpan<byte> Image =>'
    echo '    ['
    od -An -v -tx1 "$work/runner" | sed 's/ \(..\)/0x\1,/g'
    echo '    ];'
    echo '}'
} >"$output.new"
mv "$output.new" "$output"

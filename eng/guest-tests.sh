#!/bin/bash
# Runs the kernel tests in a guest with pure cgroup v2. Usage: eng/guest-tests.sh CONFIGURATION RESULTS-DIRECTORY
# Leaves the report there as guest.json.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
configuration=$1 results=$2
rm -rf "$results/guest"
mkdir -p "$results/guest"

# What only computes has been tested outside, where it takes a twentieth of the time.
code=0
eng/guest.sh --timeout 600 --share "$results/guest" -- env DOTNET_TieredPGO=0 \
    dotnet exec "tests/Nacelle.Kernel.Tests/bin/$configuration/net10.0/Nacelle.Kernel.Tests.dll" --no-ansi --no-progress \
    --filter-not-class Nacelle.Kernel.Tests.SeccompCompilerTests --filter-not-class Nacelle.Kernel.Tests.DeviceProgramTests \
    --results-directory /run/share --report-xunit-ctrf --report-xunit-ctrf-filename guest.json || code=$?
[ ! -f "$results/guest/guest.json" ] || mv "$results/guest/guest.json" "$results/guest.json"
rm -rf "$results/guest"
exit "$code"

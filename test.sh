#!/bin/bash
# Sets up what the tests need, builds, and runs every test project; then what depends on the kernel once more in guests (eng/guest-tests.sh).
# Usage: ./test.sh [--no-guest] [PROJECT...]     (a project as in tests/, with or without "Nacelle." and ".Tests")
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit 1

configuration=Release
results=artifacts/test-results
with_guest=yes
chosen=()
for argument in "$@"; do
    case $argument in
        --no-guest) with_guest=no ;;
        -*) echo "usage: ./test.sh [--no-guest] [PROJECT...]" >&2; exit 2 ;;
        *) argument=${argument#Nacelle.}; chosen+=("Nacelle.${argument%.Tests}.Tests") ;;
    esac
done

# jq reads the reports; the C tool chain links the published executables; the rest are peers that tests run beside our own.
eng/install-packages.sh gcc libc6-dev zlib1g-dev jq attr libcap2-bin skopeo umoci busybox-static docker-registry util-linux uidmap podman buildah containerd catatonit crun runc e2fsprogs erofs-utils debootstrap systemd-container apparmor secilc keyutils libarchive-tools apache2-utils pigz bzip2 xz-utils zstd nginx-light gnupg openssl zsh fish mandoc groff containernetworking-plugins dnsmasq-base iproute2 iptables nftables conntrack passt || exit 1

rm -rf "$results"
mkdir -p "$results"
echo "building"
if ! dotnet build Nacelle.slnx -c "$configuration" --nologo -v quiet >"$results/build.log" 2>&1; then
    cat "$results/build.log"
    echo "the build failed"
    exit 1
fi

if [ ! -x artifacts/bin/nacelle ] || [ -n "$(find src eng Directory.* -newer artifacts/bin/nacelle -not -path '*/obj/*' -not -path '*/bin/*' -type f -print -quit)" ]; then
    echo "publishing the executables"
    eng/publish.sh artifacts/bin >"$results/publish.log" 2>&1 || { cat "$results/publish.log"; exit 1; }
fi

if [ ! -e artifacts/bin/stage1-images/stage1-systemd.aci ] || [ artifacts/publish/Flavors/nacelle-flavors -nt artifacts/bin/stage1-images/stage1-systemd.aci ]; then
    echo "making the stage1 image of the flavor systemd"
    eng/systemd-image.sh artifacts/publish/Flavors/nacelle-flavors artifacts/bin/stage1-images >"$results/systemd-image.log" 2>&1 || cat "$results/systemd-image.log"
fi

passed=0 failed=0 skipped=0
skips=()

# Adds one project's report to the totals. A test program that ends badly without a failed test (a crash, a guard that found
# something left behind) counts as one failure.
tally() { # NAME EXIT-CODE REPORT OUTPUT
    local name=$1 code=$2 report=$3 output=$4 p=0 f=0 s=0
    if [ -s "$report" ]; then
        p=$(jq '[.results.tests[] | select(.status == "passed")] | length' "$report")
        f=$(jq '[.results.tests[] | select(.status == "failed")] | length' "$report")
        s=$(jq '[.results.tests[] | select(.status == "skipped")] | length' "$report")
        mapfile -t -O ${#skips[@]} skips < <(jq -r '.results.tests[] | select(.status == "skipped") | "\(.name): \(.message // .rawStatus)"' "$report")
    fi
    if [ "$code" -ne 0 ] && [ "$f" -eq 0 ]; then
        f=1
        echo "$name ended with code $code"
    fi
    if [ "$f" -gt 0 ]; then cat "$output"; fi
    printf '%-48s %5d passed %4d failed %4d skipped\n' "$name" "$p" "$f" "$s"
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
}

wanted() { [ ${#chosen[@]} -eq 0 ] || [[ " ${chosen[*]} " == *" $1 "* ]]; }

for project in tests/*.Tests; do
    name=$(basename "$project")
    wanted "$name" || continue
    "$project/bin/$configuration/net10.0/$name" --no-ansi --no-progress --results-directory "$results" \
        --report-xunit-ctrf --report-xunit-ctrf-filename "$name.json" >"$results/$name.log" 2>&1
    tally "$name" $? "$results/$name.json" "$results/$name.log"
done

runs=()
! wanted Nacelle.Kernel.Tests || runs+=(kernel)
! wanted Nacelle.Network.Tests || runs+=(network)
! wanted Nacelle.Oci.Tests || runs+=(oci systemd selinux)
! wanted Nacelle.EndToEnd.Tests || runs+=(verity)
if [ "$with_guest" = yes ] && [ ${#runs[@]} -gt 0 ]; then
    eng/guest-tests.sh "$configuration" "$results" "${runs[@]}" >"$results/guest.log" 2>&1
    for run in "${runs[@]}"; do
        [ -s "$results/guest-$run.code" ] || cp "$results/guest.log" "$results/guest-$run.log"
        tally "$run in a guest" "$(cat "$results/guest-$run.code" 2>/dev/null || echo 125)" "$results/guest-$run.json" "$results/guest-$run.log"
    done
fi

if [ ${#skips[@]} -gt 0 ]; then
    echo "skipped:"
    printf '  %s\n' "${skips[@]}"
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]

#!/bin/bash
# Installs Debian packages that are missing, and says which. Usage: eng/install-packages.sh PACKAGE...
set -euo pipefail

missing=()
for package in "$@"; do
    if [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" != installed ]; then
        missing+=("$package")
    fi
done
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" -ne 0 ]; then
    echo "missing Debian packages: ${missing[*]} (run as root to have them installed)" >&2
    exit 1
fi

echo "installing Debian packages: ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"; [ -z "${policy-}" ] || rm -f "$policy"' EXIT
export DEBIAN_FRONTEND=noninteractive

# The tests start servers themselves, on ports and in directories of their own: no package shall start one as it is installed.
if [ ! -e /usr/sbin/policy-rc.d ]; then
    policy=/usr/sbin/policy-rc.d
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
fi
install() { apt-get install -y --no-install-recommends "${missing[@]}" >"$log" 2>&1; }

# A machine whose package lists are old or absent gets fresh ones, but only then: updating takes longer than installing.
if ! install && ! { apt-get update >"$log" 2>&1 && install; }; then
    tail -n 20 "$log" >&2
    echo "could not install: ${missing[*]}" >&2
    exit 1
fi

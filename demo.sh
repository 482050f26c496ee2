#!/usr/bin/env bash
# The main job, from nothing: a redis image from Debian's packages, a registry, a fetch, a pod, and redis answering. Leaves nothing behind.
set -euo pipefail
cd "$(dirname "$0")"

say() { printf '\n\e[1m== %s\e[0m\n' "$*"; }
run() { printf '$ %s\n' "$*"; "$@"; }

[ "$(id -u)" = 0 ] || { echo "demo.sh: pods need root" >&2; exit 1; }
eng/install-packages.sh docker-registry skopeo umoci gcc libc6-dev zlib1g-dev curl

work=$(mktemp -d /tmp/nacelle-demo.XXXXXX)
registry= pod=
finish() {
    if [ -n "$pod" ] && kill -0 "$pod" 2>/dev/null; then kill "$pod"; wait "$pod" || true; fi
    if [ -n "$registry" ]; then kill "$registry" 2>/dev/null || true; wait "$registry" 2>/dev/null || true; fi
    rm -rf -- "$work"
}
trap finish EXIT

if [ ! -x artifacts/bin/nacelle ] || [ -n "$(find src eng Directory.* -newer artifacts/bin/nacelle -not -path '*/obj/*' -not -path '*/bin/*' -type f -print -quit)" ]; then
    say "publishing the executables into artifacts/bin"
    eng/publish.sh artifacts/bin
fi
nacelle() { artifacts/bin/nacelle --dir="$work/nacelle" --local-config="$work/etc" --insecure-options=http "$@"; }

say "building a redis image from Debian's redis-server package"
eng/redis-image.sh "$work/image"

say "starting Debian's docker-registry on loopback"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])' 2>/dev/null || echo 5917)
cat >"$work/registry.yml" <<YAML
version: 0.1
log: {level: error, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: $work/registry}}
http: {addr: "127.0.0.1:$port"}
YAML
docker-registry serve "$work/registry.yml" >"$work/registry.log" 2>&1 &
registry=$!
for _ in $(seq 100); do curl -fs "http://127.0.0.1:$port/v2/" >/dev/null && break; sleep 0.05; done
run skopeo copy --quiet --dest-tls-verify=false "oci:$work/image:redis" "docker://127.0.0.1:$port/redis"

say "trusting images of this registry, and of no other"
mkdir "$work/etc"
tee "$work/etc/policy.json" <<JSON
{ "default": [{ "type": "reject" }], "transports": { "docker": { "127.0.0.1:$port": [{ "type": "insecureAcceptAnything" }] } } }
JSON

say "fetching it with nacelle"
run nacelle fetch "docker://127.0.0.1:$port/redis"
run nacelle image list

say "running it"
echo "$ nacelle run --net=none docker://127.0.0.1:$port/redis &"
nacelle run --net=none --uuid-file-save="$work/uuid" "docker://127.0.0.1:$port/redis" >"$work/redis.log" 2>&1 &
pod=$!
for _ in $(seq 100); do grep -q 'Ready to accept connections' "$work/redis.log" && break; kill -0 "$pod" 2>/dev/null || { cat "$work/redis.log"; exit 1; }; sleep 0.05; done
uuid=$(cat "$work/uuid")
cat "$work/redis.log"

say "asking redis, from inside the pod"
[ "$(run nacelle enter "$uuid" redis-cli ping | tee /dev/stderr | tail -n 1)" = PONG ]
[ "$(run nacelle enter "$uuid" redis-cli set greeting 'hello from a pod' | tee /dev/stderr | tail -n 1)" = OK ]
[ "$(run nacelle enter "$uuid" redis-cli get greeting | tee /dev/stderr | tail -n 1)" = 'hello from a pod' ]

say "looking at the pod"
run nacelle list
run nacelle status "$uuid"

say "stopping it"
run nacelle stop "$uuid"
code=0; wait "$pod" || code=$?; pod=
echo "the pod ended with exit code $code"
run nacelle status "$uuid"
run nacelle rm "$uuid"
run nacelle image rm "docker://127.0.0.1:$port/redis"
run nacelle gc --grace-period=0s

left=$(mount | grep -F "$work" || true; find "$work/nacelle" -mindepth 3 -type f -path '*/pods/*' 2>/dev/null || true; find /sys/fs/cgroup -type d -path "*nacelle/$uuid*" 2>/dev/null || true)
[ -z "$left" ] || { echo "left behind: $left" >&2; exit 1; }
say "done: redis ran in a pod, answered, and left nothing behind"

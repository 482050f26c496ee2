#!/bin/sh
# Makes an OCI image layout for bench/fetch.sh: five gzip layers, some 450 MB compressed and 49,000 files, always the same.
# usage: make-big-image.sh DIRECTORY   (the layout becomes DIRECTORY/layout, its tag "big"; some 2 GB are needed while it runs)
set -eu
directory=$1
mkdir -p "$directory"
cd "$directory"
rm -rf layout layers
mkdir layers

python3 - <<'PYTHON'
import random, tarfile, io, gzip, hashlib, json, os

random.seed(20260101)
# Words drawn with a skew: text that gzip shrinks about three times.
words = [bytes(random.choices(b"abcdefghijklmnopqrstuvwxyz", k=random.randint(3, 11))) for _ in range(6000)]
weights = [1 / (rank + 3) for rank in range(len(words))]
pool = b" ".join(random.choices(words, weights=weights, k=6_000_000))

def text(size):
    start = random.randrange(0, len(pool) - 70000)
    out = bytearray()
    while len(out) < size:
        start = random.randrange(0, len(pool) - 70000)
        out += pool[start:start + min(random.randrange(40, 400), size - len(out))]
    return bytes(out)

os.makedirs("layout/blobs/sha256", exist_ok=True)
descriptors, diff_ids = [], []

def put(content):
    digest = hashlib.sha256(content).hexdigest()
    with open(f"layout/blobs/sha256/{digest}", "wb") as file:
        file.write(content)
    return digest

class Hashing:
    def __init__(self, out):
        self.out, self.hash = out, hashlib.sha256()
    def write(self, data):
        self.hash.update(data)
        return self.out.write(data)

# (small files, large files of 8 MiB) in each layer
for number, (small, large) in enumerate([(14000, 28), (12000, 26), (10000, 24), (8000, 24), (5000, 22)]):
    path = f"layers/{number}"
    with open(path, "wb") as raw, gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=6, mtime=0, filename="") as packed:
        plain = Hashing(packed)
        with tarfile.open(fileobj=plain, mode="w|", format=tarfile.PAX_FORMAT) as tar:
            def add(name, content=None):
                info = tarfile.TarInfo(name)
                info.mtime = 1700000000
                if content is None:
                    info.type, info.mode = tarfile.DIRTYPE, 0o755
                    tar.addfile(info)
                else:
                    info.size, info.mode = len(content), 0o644
                    tar.addfile(info, io.BytesIO(content))
            add(f"usr{number}")
            for i in range(small):
                if i % 100 == 0:
                    add(f"usr{number}/d{i // 100:04}")
                add(f"usr{number}/d{i // 100:04}/file{i}", text(random.choice([300, 1000, 2500, 6000])))
            for i in range(large):
                add(f"usr{number}/large{i}", text(8 << 20))
        diff_ids.append("sha256:" + plain.hash.hexdigest())
    with open(path, "rb") as file:
        content = file.read()
    descriptors.append({"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": "sha256:" + put(content), "size": len(content)})
    os.unlink(path)

config = json.dumps({"architecture": os.uname().machine.replace("x86_64", "amd64").replace("aarch64", "arm64"), "os": "linux",
                     "config": {"Cmd": ["/bin/true"]}, "rootfs": {"type": "layers", "diff_ids": diff_ids}}).encode()
manifest = json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
    "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": "sha256:" + put(config), "size": len(config)},
    "layers": descriptors}).encode()
index = {"schemaVersion": 2, "manifests": [{"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": "sha256:" + put(manifest),
         "size": len(manifest), "annotations": {"org.opencontainers.image.ref.name": "big"}}]}
with open("layout/index.json", "w") as file:
    json.dump(index, file)
with open("layout/oci-layout", "w") as file:
    file.write('{"imageLayoutVersion":"1.0.0"}')
print(f"{sum(d['size'] for d in descriptors) / 1e6:.0f} MB compressed")
PYTHON
rmdir layers

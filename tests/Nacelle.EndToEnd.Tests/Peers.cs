namespace Nacelle.EndToEnd.Tests;

/// <summary>Debian's buildah, podman and skopeo with storage of their own in the machine's directory.</summary>
sealed class Peers
{
    readonly Machine machine;

    public Peers(Machine machine)
    {
        Machine.Require("/usr/bin/buildah", "/usr/bin/podman", "/usr/bin/skopeo", "/usr/bin/umoci", "/bin/busybox");
        this.machine = machine;
        Machine.Script(machine.Path, """
            mkdir -p context/root/bin home peers
            cp /bin/busybox context/root/bin/; for c in sh echo cat; do ln -s busybox context/root/bin/$c; done
            """);
        File.WriteAllText($"{Context}/Containerfile", """
            FROM scratch
            COPY root /
            ARG WORD=built
            RUN echo $WORD >/made
            ENV A=set
            LABEL maker=somebody
            CMD ["/bin/sh", "-c", "echo $A; cat /made"]
            """);
        // Debian's crun does not run where control groups are hybrid.
        File.WriteAllText($"{machine.Path}/nacelle-oci", $"#!/bin/sh\nexec {Path.GetDirectoryName(Machine.Program)}/nacelle-oci --root={machine.Path}/oci \"$@\"\n");
        File.SetUnixFileMode($"{machine.Path}/nacelle-oci", (UnixFileMode)0x1ED);
        File.WriteAllText($"{machine.Path}/containers.conf", """
            [containers]
            default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
            log_driver = "none"
            [engine]
            events_logger = "none"
            lock_type = "file"
            """);
    }

    public string Context => $"{machine.Path}/context";

    /// <summary>Their home directory, where policies and registries.d may lie.</summary>
    public string Home => $"{machine.Path}/home";

    /// <summary>Whose keys they sign with.</summary>
    public string Gnupg { get; set; } = "/nowhere";

    /// <summary>A file with the authorities that vouch for the servers they speak to.</summary>
    public string? Authority { get; set; }

    public string BuildByBuildah(string name, string flags) => Buildah($"bud -q --isolation=chroot -t {name} {flags} {Context}");

    public string Buildah(string command) => Run($"buildah {Storage} {command}");

    public string Podman(string command) => Run($"podman {Storage} --tmpdir={machine.Path}/peers/t --cgroup-manager=cgroupfs {command}");

    public string RunByPodman(string image) => Podman($"--runtime={machine.Path}/nacelle-oci run --rm --network=none --pull=never {image}");

    public string Skopeo(string command) => Run($"skopeo {command}");

    string Storage => $"--root={machine.Path}/peers/p --runroot={machine.Path}/peers/r --storage-driver=vfs";

    string Run(string command) =>
        Machine.Script(machine.Path, $"export HOME={Home} GNUPGHOME={Gnupg} CONTAINERS_CONF={machine.Path}/containers.conf XDG_RUNTIME_DIR={Home}{(Authority is null ? "" : $" SSL_CERT_FILE={Authority}")}; {command}");
}

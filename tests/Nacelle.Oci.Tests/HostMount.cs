namespace Nacelle.Oci.Tests;

/// <summary>A tmpfs on the host, as a source of bind mounts; disposing takes it away with all that is mounted in it.</summary>
sealed class HostMount : IDisposable
{
    HostMount(string path) => Path = path;

    public string Path { get; }

    public static HostMount Make(string path, string options = "mode=777")
    {
        Directory.CreateDirectory(path);
        Run("mount", "-t", "tmpfs", "-o", options, "tmpfs", path);
        return new HostMount(path);
    }

    public HostMount WithFile(string name, string content)
    {
        File.WriteAllText($"{Path}/{name}", content);
        return this;
    }

    /// <param name="propagation">As mount(8) has it: <c>shared</c>.</param>
    public void Set(string propagation) => Run("mount", $"--make-{propagation}", Path);

    public void Dispose() => OciMachine.Run("umount", "-R", "-l", Path);

    static void Run(string program, params string[] arguments) => Expectations.Succeeds(OciMachine.Run(program, arguments));
}

using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Flavors;

/// <summary>The pod directory, which is the working directory of every entry point, as the contract has it.</summary>
static class PodDirectory
{
    static readonly FileDescriptor Here = FileDescriptor.WorkingDirectory;

    public static PodManifest ReadManifest() => PodManifest.Parse(Files.ReadAll(Here, "pod"), "pod");

    /// <summary>Where an app's bundle lies: its config.json and its root file system.</summary>
    public static string Bundle(string app) => $"{Environment.CurrentDirectory}/stage1/rootfs/opt/stage2/{app}";

    public static RuntimeConfig ReadBundle(string app)
    {
        var path = $"{Bundle(app)}/config.json";
        return RuntimeConfig.Parse(Files.ReadAll(Here, path), path);
    }

    /// <summary>Tells where the pod's PID 1 is.</summary>
    public static void WriteProcessId(int pid) => Files.WriteAll(Here, "pid", $"{pid}\n");

    public static void WriteStatus(string app, int code) => Files.WriteAll(Here, $"stage1/rootfs/rkt/status/{app}", $"{code}\n");

    public static int? ReadNumber(string path) => int.TryParse(Files.TryReadText(Here, path), out int number) ? number : null;
}

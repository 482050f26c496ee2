using System.Text.Json.Nodes;

namespace Nacelle.Oci.Tests;

/// <summary>The known ways out of containers, each tried from the inside on the published executable.</summary>
public sealed partial class EscapeTests : IDisposable
{
    const string SecretText = "only the host reads this";

    static readonly string[] Strong =
        ["CAP_SYS_PTRACE", "CAP_SYS_ADMIN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_CHOWN", "CAP_SETUID", "CAP_SETGID", "CAP_MKNOD"];

    readonly OciMachine machine = new();
    readonly string secret;

    public EscapeTests()
    {
        secret = $"{machine.Path}/secret";
        File.WriteAllText(secret, SecretText);
    }

    public void Dispose() => machine.Dispose();

    /// <summary>A shell in a container whose root file system it may write to, so that it can tell the test what it saw.</summary>
    Bundle Attacker(string script, params string[] capabilities) => machine.Shell(script).With(bundle =>
    {
        bundle.Config["root"]!["readonly"] = false;
        foreach (var set in new[] { "bounding", "effective", "permitted" })
        {
            var names = bundle.Process["capabilities"]![set]!.AsArray();
            foreach (var name in capabilities)
            {
                names.Add((JsonNode)name);
            }
        }
    });

    static JsonNode Mount(Bundle bundle, string destination) => bundle.Config["mounts"]!.AsArray().Single(mount => (string)mount!["destination"]! == destination)!;

    static void RemoveMount(Bundle bundle, string destination) => bundle.Config["mounts"]!.AsArray().Remove(Mount(bundle, destination));

    /// <summary>All below a directory with contents and owners, to see whether anything has changed.</summary>
    static string Snapshot(string directory) => OciMachine.Run("/bin/sh", "-c", $"cd {directory} && find . -printf '%p %y %m %U %G %s %l\\n' | sort && find . -type f -exec md5sum {{}} + | sort").Output;

    static string[] Lines(string text) => text.Split(['\n', '\r'], StringSplitOptions.RemoveEmptyEntries);
}

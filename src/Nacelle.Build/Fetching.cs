using System.Text;
using Nacelle.CommandLine;
using Nacelle.Images;
using Nacelle.Linux;

namespace Nacelle.Build;

/// <summary>What has to come from elsewhere: images that the store lacks, and what URLs give. nacelle-fetch brings both.</summary>
sealed class Fetching(Invocation invocation, string policy)
{
    readonly string data = GlobalFlags.DataDirectory(invocation);

    /// <summary>The image that a FROM names. A name that does not say where from is one of a registry.</summary>
    public StoredImage FindImage(string text)
    {
        if (policy is not ("new" or "update" or "never"))
        {
            throw new UserException($"--pull-policy={policy}: use new, update or never");
        }

        using var store = ImageStore.Open(data);
        bool local = text.StartsWith("localhost/", StringComparison.Ordinal);
        var image = (policy == "update" && !local ? null : local ? store.Find(text) : RegistriesConfiguration.FindStored(store, text)) ?? (policy == "never" ? null : Fetch(store, text))
            ?? throw new BuildException($"the image '{text}' is not in the store");
        store.MarkUsed(image);
        return image;
    }

    public void Download(string url, string? checksum, string file) =>
        Start(["download", .. checksum is null ? (string[])[] : [$"--checksum={checksum}"], .. Common(), url, file]);

    StoredImage? Fetch(ImageStore store, string text)
    {
        var name = text.StartsWith('/') || text.StartsWith('.') || text.Contains(":/", StringComparison.Ordinal) ? text : "docker://" + text;
        var id = Start(["fetch", .. Common(), $"--pull-policy={policy}", "--full", name]).Trim();
        return RegistriesConfiguration.FindStored(store, name) ?? store.Find(id);
    }

    IEnumerable<string> Common() => GlobalFlags.Repeat(invocation);

    /// <returns>What it writes to standard output.</returns>
    static string Start(IReadOnlyList<string> arguments)
    {
        var program = InstalledPrograms.Find("nacelle-fetch");
        var (read, write) = Files.CreatePipe("nacelle-fetch");
        using (read)
        {
            Process process;
            using (write)
            {
                var plan = new LaunchPlan();
                plan.Call("connect nacelle-fetch", SystemCall.dup3, plan.Descriptor(write), 1, 0);
                plan.Call("unblock signals", SystemCall.rt_sigprocmask, 2, plan.Bytes(stackalloc byte[8]), 0, 8);
                plan.Call($"exec {program}", SystemCall.execve, plan.Text(program), plan.TextArray([program, .. arguments]), plan.TextArray(Processes.Environment()));
                process = Launcher.Start(plan);
            }

            var output = Encoding.UTF8.GetString(Files.ReadToEnd(read));
            return process.Wait().ShellCode == 0 ? output : throw new BuildException("it could not be fetched");
        }
    }
}

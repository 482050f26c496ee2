using System.Text;
using Nacelle.CommandLine;
using Nacelle.Images;
using Nacelle.Linux;
using Nacelle.Pods;
using Nacelle.Specs;

namespace Nacelle.Cli;

/// <summary>Finds the images of a pod in the store, and has those fetched that are missing.</summary>
/// <remarks>What speaks to registries is an executable of its own, so that running a stored image does not pay for it.</remarks>
static class Fetching
{
    public const string Program = "nacelle-fetch";

    public static IReadOnlyList<AppImage> FindAll(Invocation invocation, ImageStore store, IEnumerable<string> images)
    {
        var policy = invocation.Value(PodFlags.PullPolicy) ?? "new";
        if (policy is not ("new" or "update" or "never"))
        {
            throw new UserException($"--pull-policy={policy}: use new, update or never");
        }

        return [.. images.Select(text =>
        {
            var image = (policy == "update" && IsName(text) ? null : RegistriesConfiguration.FindStored(store, text))
                ?? (policy != "never" && IsName(text) ? Fetch(invocation, store, text, policy) : null)
                ?? throw new UserException($"the image '{text}' is not in the store{(IsName(text) ? "" : "; to fetch it say where from, as in docker://" + text)}");
            if (invocation.Is(PodFlags.VerifyImages))
            {
                ImageVerification.Require(store, image);
            }

            store.MarkUsed(image);
            return AppImage.Read(store, image);
        })];
    }

    static bool IsName(string text) => (text.Contains(':') && !text.StartsWith("sha256:", StringComparison.Ordinal) && !text.StartsWith("sha512:", StringComparison.Ordinal))
        || text.StartsWith('/') || text.StartsWith('.') || text.EndsWith(".aci", StringComparison.Ordinal) || AppcImageName.LooksLikeOne(text);

    static StoredImage? Fetch(Invocation invocation, ImageStore store, string text, string policy)
    {
        var program = InstalledPrograms.Find(Program);
        List<string> arguments =
        [
            program, "fetch", .. GlobalFlags.Repeat(invocation), $"--pull-policy={policy}", "--full", text,
        ];
        var (read, write) = Files.CreatePipe("nacelle-fetch");
        using (read)
        {
            Process process;
            using (write)
            {
                var plan = new LaunchPlan();
                plan.Call("connect nacelle-fetch", SystemCall.dup3, plan.Descriptor(write), 1, 0);
                plan.Call("unblock signals", SystemCall.rt_sigprocmask, 2, plan.Bytes(stackalloc byte[8]), 0, 8);
                plan.Call($"exec {program}", SystemCall.execve, plan.Text(program), plan.TextArray(arguments), plan.TextArray(Processes.Environment()));
                process = Launcher.Start(plan);
            }

            var id = Encoding.UTF8.GetString(Files.ReadToEnd(read)).Trim();
            var status = process.Wait();
            if (status.ShellCode != 0)
            {
                throw new AlreadyToldException();
            }

            return RegistriesConfiguration.FindStored(store, text) ?? store.Find(id);
        }
    }
}

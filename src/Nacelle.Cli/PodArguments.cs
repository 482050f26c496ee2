using Nacelle.CommandLine;
using Nacelle.Linux;
using Nacelle.Pods;

namespace Nacelle.Cli;

/// <summary>How commands are told which pods they are about.</summary>
static class PodArguments
{
    public static readonly Option UuidFile = new("uuid-file", "FILE", "take the UUID from this file") { IsWord = true };

    /// <summary>The pods that words and --uuid-file name.</summary>
    public static IReadOnlyList<string> Names(Invocation invocation)
    {
        List<string> names = [.. invocation.Values(UuidFile).Select(ReadUuid), .. invocation.Words];
        return names.Count > 0 ? names : throw new UserException("name a pod by its UUID, the beginning of it, or its name");
    }

    /// <summary>Does something with each pod that is named, and prints its UUID. Where it cannot be done is told, and the others have their turn.</summary>
    /// <returns>The exit code.</returns>
    public static int ForEach(Invocation invocation, Action<PodStore, FoundPod> act)
    {
        GlobalFlags.RequireRoot(invocation);
        using var pods = new PodStore(GlobalFlags.DataDirectory(invocation));
        int exit = 0;
        foreach (var name in Names(invocation))
        {
            try
            {
                using var found = pods.Find(name);
                act(pods, found);
                Output.Line($"\"{found.Pod.Uuid}\"");
            }
            catch (Exception problem) when (problem is UserException or PodException)
            {
                Output.Error(problem.Message);
                exit = 254;
            }
        }

        return exit;
    }

    public static string Single(Invocation invocation) =>
        Names(invocation) is [var name] ? name : throw new UserException($"{invocation.Command.Name} is about one pod");

    static string ReadUuid(string path) =>
        Files.TryReadText(FileDescriptor.WorkingDirectory, path)?.Trim() is { Length: > 0 } uuid ? uuid : throw new UserException($"--uuid-file={path}: there is no UUID in it");
}

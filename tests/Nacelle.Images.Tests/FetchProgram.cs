using System.Diagnostics;

namespace Nacelle.Images.Tests;

sealed record ProgramResult(int ExitCode, string Output, string Errors);

/// <summary>The program nacelle-fetch: that of $NACELLE_FETCH, or as it is built beside the tests.</summary>
static class FetchProgram
{
    static readonly Lazy<string> Path = new(Find);
    static readonly Lazy<string> Configuration = new(WriteConfiguration);

    /// <summary>Has the program built where that is still to do, so that a test that measures its time measures nothing else.</summary>
    public static void Prepare() => _ = Path.Value;

    public static Process Start(string directory, string[] arguments, params (string Name, string Value)[] environment) =>
        StartCommand(directory, ["fetch", .. arguments], environment);

    /// <param name="arguments">The command's own name first. A --local-config takes the place of the tests' own, whose policy takes OCI images whoever made them.</param>
    public static Process StartCommand(string directory, string[] arguments, params (string Name, string Value)[] environment)
    {
        // Whoever has started the tests in the background may have had SIGINT ignored, which is inherited.
        var start = new ProcessStartInfo("env", ["--default-signal=INT", Path.Value, $"--local-config={Configuration.Value}", .. arguments, $"--dir={directory}"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        return System.Diagnostics.Process.Start(start)!;
    }

    public static ProgramResult Run(string directory, params string[] arguments) => Wait(Start(directory, arguments));

    public static ProgramResult Wait(Process process)
    {
        using (process)
        {
            var errors = process.StandardError.ReadToEndAsync();
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return new ProgramResult(process.ExitCode, output, errors.Result);
        }
    }

    static string WriteConfiguration()
    {
        var directory = Directory.CreateTempSubdirectory("nacelle-images-").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(directory, recursive: true);
        File.WriteAllText(directory + "/policy.json", """{"default":[{"type":"insecureAcceptAnything"}]}""");
        return directory;
    }

    static string Find()
    {
        if (Environment.GetEnvironmentVariable("NACELLE_FETCH") is { Length: > 0 } chosen)
        {
            return chosen;
        }

        string root = AppContext.BaseDirectory;
        while (!File.Exists(System.IO.Path.Combine(root, "Nacelle.slnx")))
        {
            root = System.IO.Path.GetDirectoryName(root) ?? throw new InvalidOperationException("the tests do not lie in the source tree");
        }

        string project = System.IO.Path.Combine(root, "src", "Nacelle.Fetch");
        using var build = System.Diagnostics.Process.Start(new ProcessStartInfo("dotnet", ["build", project, "--nologo", "-v", "quiet"])
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
        })!;
        string said = build.StandardOutput.ReadToEnd();
        build.WaitForExit();
        Assert.True(build.ExitCode == 0, said);
        return Directory.GetFiles(System.IO.Path.Combine(project, "bin", "Debug"), "nacelle-fetch", SearchOption.AllDirectories).Single();
    }
}

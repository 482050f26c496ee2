using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;

// The tests look at what the machine has as a whole: one at a time.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]

namespace Nacelle.Oci.Tests;

/// <summary>What a command printed, and how it ended.</summary>
public sealed record Result(int ExitCode, string Output, string Errors)
{
    public override string ToString() => $"exit code {ExitCode}\noutput: {Output}\nerrors: {Errors}";
}

/// <summary>A state directory of its own for the published nacelle-oci; disposing deletes its containers, and fails on anything left behind.</summary>
public sealed class OciMachine : IDisposable
{
    static int counter;

    readonly List<Process> started = [];

    public OciMachine()
    {
        Assert.SkipUnless(Linux.Processes.IsRoot, "containers need root");
        Path = Directory.CreateTempSubdirectory("nacelle-oci-").FullName;
        File.SetUnixFileMode(Path, (UnixFileMode)0x1ED); // user namespaces have to reach the bundles in it
    }

    public static string Program { get; } = FindProgram();

    public string Path { get; }

    public string Root => Path + "/state";

    /// <summary>An id that no other container has, also outside of these tests.</summary>
    public static string NewId() => $"nacelle-test-{Environment.ProcessId}-{Interlocked.Increment(ref counter)}";

    /// <summary>A new bundle with busybox for its root file system.</summary>
    public Bundle NewBundle(params string[] command) => new($"{Path}/bundle-{Interlocked.Increment(ref counter)}", command);

    /// <summary>A bundle whose process is a shell that runs this script.</summary>
    public Bundle Shell(string script) => NewBundle("/bin/sh", "-c", script);

    /// <summary>Runs nacelle-oci on this machine's state and waits for it.</summary>
    public Result Oci(params string[] arguments) => Run(Program, [$"--root={Root}", .. arguments]);

    /// <summary>Runs the bundle's process to its end.</summary>
    public Result RunBundle(Bundle bundle, params string[] options) => Oci(["run", $"--bundle={bundle.Path}", .. options, NewId()]);

    /// <summary>Creates a container, which has to succeed. Its standard streams are /dev/null: they outlive the command.</summary>
    public string Create(Bundle bundle, params string[] options)
    {
        var id = NewId();
        var created = Background(Program, [$"--root={Root}", "create", $"--bundle={bundle.Path}", .. options, id]);
        Assert.True(created.ExitCode == 0, created.ToString());
        return id;
    }

    /// <summary>As <see cref="Create"/>, and starts it.</summary>
    public string Start(Bundle bundle, params string[] options)
    {
        var id = Create(bundle, options);
        var result = Oci("start", id);
        Assert.True(result.ExitCode == 0, result.ToString());
        return id;
    }

    public JsonNode State(string id)
    {
        var state = Oci("state", id);
        Assert.True(state.ExitCode == 0, state.ToString());
        return JsonNode.Parse(state.Output)!;
    }

    public string Status(string id) => (string)State(id)["status"]!;

    public int Pid(string id) => (int)State(id)["pid"]!;

    /// <summary>Runs a command whose descendants may outlive it, with standard streams that they can keep.</summary>
    public Result Background(string program, params string[] arguments)
    {
        var errors = $"{Path}/errors-{Interlocked.Increment(ref counter)}";
        var quoted = string.Join(' ', arguments.Prepend(program).Select(argument => $"'{argument.Replace("'", "'\\''", StringComparison.Ordinal)}'"));
        var result = Run("/bin/sh", "-c", $"exec {quoted} </dev/null >/dev/null 2>'{errors}'");
        return result with { Errors = File.ReadAllText(errors) };
    }

    /// <summary>Starts a program that this machine ends when it is disposed of.</summary>
    public Process StartProcess(string program, params string[] arguments)
    {
        var process = Process.Start(Prepare(program, arguments))!;
        process.StandardInput.Close();
        started.Add(process);
        return process;
    }

    public static Result Run(string program, params string[] arguments)
    {
        using var process = Process.Start(Prepare(program, arguments))!;
        process.StandardInput.Close();
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return new Result(process.ExitCode, output, errors.Result);
    }

    /// <summary>Waits, within reason, for something that another process will bring about.</summary>
    public static void Eventually(Func<bool> condition, string what) => Assert.True(Happens(condition), $"this did not happen: {what}");

    /// <summary>As <see cref="Eventually"/>, for who asks what has happened instead.</summary>
    public static bool Happens(Func<bool> condition)
    {
        for (int i = 0; i < 1000; i++)
        {
            if (condition())
            {
                return true;
            }

            Thread.Sleep(20);
        }

        return false;
    }

    static ProcessStartInfo Prepare(string program, IEnumerable<string> arguments) => new(program, arguments)
    {
        UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        StandardOutputEncoding = Encoding.UTF8, StandardErrorEncoding = Encoding.UTF8,
    };

    public void Dispose()
    {
        foreach (var process in started)
        {
            if (!process.HasExited)
            {
                process.Kill();
            }

            process.WaitForExit();
            process.Dispose();
        }

        var listed = Oci("list", "--quiet");
        foreach (var id in listed.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            Oci("delete", "--force", id);
        }

        string[] left =
        [
            .. Directory.Exists(Root) ? Directory.GetFileSystemEntries(Root) : [],
            .. File.ReadLines("/proc/mounts").Where(line => line.Contains(Path, StringComparison.Ordinal)),
            .. Groups().Where(group => group.Contains($"nacelle-test-{Environment.ProcessId}-", StringComparison.Ordinal)),
        ];
        Run("/bin/rm", "-rf", "--one-file-system", Path);
        Assert.True(left.Length == 0, $"left behind: {string.Join(", ", left)}\n{listed}");
    }

    /// <summary>The directories in /proc of the processes whose command line or whose mounts name this path.</summary>
    public static IEnumerable<string> ProcessesOf(string path)
    {
        foreach (var process in Directory.GetDirectories("/proc").Where(directory => char.IsAsciiDigit(directory[6])))
        {
            string text;
            try
            {
                text = File.ReadAllText($"{process}/cmdline") + File.ReadAllText($"{process}/mountinfo");
            }
            catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
            {
                continue;
            }

            if (text.Contains(path, StringComparison.Ordinal))
            {
                yield return process;
            }
        }
    }

    /// <summary>The control groups that are not deeper than two levels.</summary>
    public static IEnumerable<string> Groups()
    {
        const string Top = "/sys/fs/cgroup";
        return Directory.Exists(Top) ? Directory.GetDirectories(Top).SelectMany(one => Directory.GetDirectories(one).Append(one)) : [];
    }

    static string FindProgram()
    {
        if (Environment.GetEnvironmentVariable("NACELLE_BIN") is { } given)
        {
            return System.IO.Path.GetFullPath(given) + "/nacelle-oci";
        }

        for (var directory = AppContext.BaseDirectory; directory is not null; directory = System.IO.Path.GetDirectoryName(directory))
        {
            if (File.Exists($"{directory}/artifacts/bin/nacelle-oci"))
            {
                return $"{directory}/artifacts/bin/nacelle-oci";
            }
        }

        throw new InvalidOperationException("publish the executables first: eng/publish.sh artifacts/bin");
    }
}

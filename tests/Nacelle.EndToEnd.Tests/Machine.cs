using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Nacelle.EndToEnd.Tests;

/// <summary>What a command printed, and how it ended.</summary>
public sealed record Result(int ExitCode, string Output, string Errors)
{
    public override string ToString() => $"exit code {ExitCode}\noutput: {Output}\nerrors: {Errors}";
}

/// <summary>A data directory of its own for the published executables, which must be clean again when it is disposed of.</summary>
public sealed class Machine : IDisposable
{
    static readonly string Binaries = FindBinaries();

    readonly List<Process> started = [];

    public Machine()
    {
        Assert.SkipUnless(Linux.Processes.IsRoot, "pods need root");
        Path = Directory.CreateTempSubdirectory("nacelle-e2e-").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => RemoveUnused();
        Directory.CreateDirectory($"{Path}/config");
        File.WriteAllText($"{Path}/config/policy.json", """{"default":[{"type":"insecureAcceptAnything"}]}""");
    }

    /// <summary>A test that is skipped in its constructor is not disposed of, and neither is its machine: nothing but the configuration is there then.</summary>
    void RemoveUnused()
    {
        if (Directory.Exists(Path) && Directory.GetFileSystemEntries(Path) is [var only] && only == $"{Path}/config")
        {
            Directory.Delete(Path, recursive: true);
        }
    }

    /// <summary>Skips a test where one of the programs it needs is missing.</summary>
    public static void Require(params ReadOnlySpan<string> programs)
    {
        foreach (var program in programs)
        {
            Assert.SkipUnless(File.Exists(program), $"there is no {program}");
        }
    }

    public string Path { get; }

    public string Data => Path + "/data";

    public static string Program => Binaries + "/nacelle";

    /// <summary>Where the sources lie, with their scripts.</summary>
    public static string Sources
    {
        get
        {
            var root = AppContext.BaseDirectory;
            while (!File.Exists(root + "/Nacelle.slnx"))
            {
                root = System.IO.Path.GetDirectoryName(root) ?? throw new InvalidOperationException("the tests do not lie in the source tree");
            }

            return root;
        }
    }

    /// <summary>The flags by which nacelle works on this machine's data directory, and takes OCI images whoever made them.</summary>
    public string[] Flags => [$"--dir={Data}", $"--local-config={Path}/config"];

    /// <summary>Runs nacelle on this machine's data directory and waits for it.</summary>
    public Result Nacelle(params string[] arguments) => Run(Program, [.. Flags, .. arguments]);

    /// <summary>Runs a pod of the busybox image with a shell script as its app.</summary>
    public Result Shell(string script, params string[] flags) => Nacelle(["run", .. flags, TestImages.Busybox, "--exec=/bin/sh", "--", "-c", script]);

    /// <summary>As <see cref="Shell"/>, with flags of the app behind the image.</summary>
    public Result ShellAs(string script, params string[] appFlags) => Nacelle(["run", TestImages.Busybox, "--exec=/bin/sh", .. appFlags, "--", "-c", script]);

    /// <summary>Starts a pod that runs on; its output is thrown away.</summary>
    public (Process Process, string Uuid) StartShell(string script, params string[] flags) => StartShell(script, flags, []);

    /// <summary>As <see cref="StartShell(string, string[])"/>, with flags of the app behind the image.</summary>
    public (Process Process, string Uuid) StartShellAs(string script, params string[] appFlags) => StartShell(script, [], appFlags);

    (Process Process, string Uuid) StartShell(string script, string[] flags, string[] appFlags)
    {
        var file = $"{Path}/uuid-{started.Count}";
        var process = Start(["run", $"--uuid-file-save={file}", .. flags, TestImages.Busybox, "--exec=/bin/sh", .. appFlags, "--", "-c", script]);
        Eventually(() => File.Exists(file) && File.ReadAllText(file).EndsWith('\n'), "the pod's UUID is written");
        var uuid = File.ReadAllText(file).Trim();
        Eventually(() => Nacelle("status", uuid).Output is var status && status.Contains("state=running", StringComparison.Ordinal) && status.Contains("\npid=", StringComparison.Ordinal) && AppsStarted(uuid), "the pod runs");
        return (process, uuid);
    }

    public Process Start(params string[] arguments)
    {
        var process = Process.Start(Prepare(Program, [.. Flags, .. arguments]))!;
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        process.StandardInput.Close();
        started.Add(process);
        return process;
    }

    public string? PidOf(string uuid) => File.Exists($"{Pod(uuid)}/pid") ? File.ReadAllText($"{Pod(uuid)}/pid").Trim() : null;

    public string Pod(string uuid) => $"{Data}/pods/run/{uuid}";

    bool AppsStarted(string uuid) => new FileInfo($"{Pod(uuid)}/stage1/rootfs/rkt/supervisor-status").LinkTarget is not null || Directory.GetFiles($"{Pod(uuid)}/stage1/rootfs/rkt/pid").Length > 0;

    public string[] Pods() => Directory.Exists(Data + "/pods") ? [.. Directory.GetDirectories(Data + "/pods").SelectMany(Directory.GetDirectories)] : [];

    public static Result Run(string program, params string[] arguments)
    {
        using var process = Process.Start(Prepare(program, arguments))!;
        process.StandardInput.Close();
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return new Result(process.ExitCode, output, errors.Result);
    }

    /// <summary>Runs a shell script that must succeed.</summary>
    /// <returns>What it prints.</returns>
    public static string Script(string directory, string script)
    {
        var result = Run("/bin/sh", "-ec", $"cd '{directory}'\n{script}");
        Assert.True(result.ExitCode == 0, $"{script}\n{result}");
        return result.Output;
    }

    /// <summary>A port of loopback where nobody listens.</summary>
    public static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }

    static ProcessStartInfo Prepare(string program, IReadOnlyList<string> arguments) => new(program, IsNacelle(program) || arguments.Any(IsNacelle) ? WithoutNetworks(arguments) : arguments)
    {
        UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        StandardOutputEncoding = Encoding.Latin1, StandardErrorEncoding = Encoding.UTF8,
    };

    /// <summary>Pods are not attached to networks of this machine, unless a test says otherwise; those of <see cref="NetworkMachine"/> have networks of their own.</summary>
    public static IReadOnlyList<string> WithoutNetworks(IReadOnlyList<string> arguments)
    {
        int command = arguments.ToList().FindIndex(argument => argument is "run" or "run-prepared" or "sandbox");
        return command < 0 || arguments.Any(argument => argument.StartsWith("--net", StringComparison.Ordinal) || argument.Contains("stage1-fly", StringComparison.Ordinal)) ? arguments
            : [.. arguments.Take(command + 1), "--net=none", .. arguments.Skip(command + 1)];
    }

    /// <summary>Whether an argument of another program has that run nacelle.</summary>
    static bool IsNacelle(string argument) => argument == Program || argument.EndsWith("/rkt", StringComparison.Ordinal) || argument.Contains(Program + " ", StringComparison.Ordinal);

    /// <summary>Waits, within reason, for something that another process will bring about.</summary>
    public static void Eventually(Func<bool> condition, string what)
    {
        for (int i = 0; i < 1500; i++)
        {
            if (condition())
            {
                return;
            }

            Thread.Sleep(20);
        }

        Assert.Fail($"this did not happen: {what}");
    }

    /// <summary>Collects everything, and fails when anything of this data directory is left in the kernel or on the disk.</summary>
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

        var uuids = Pods().Select(pod => System.IO.Path.GetFileName(pod)!).ToArray();
        Eventually(() => Leftovers().Length == 0, "all processes of the pods end");
        var collected = Nacelle("gc", "--grace-period=0s", "--expire-prepared=0s");
        var again = Nacelle("gc", "--grace-period=0s", "--expire-prepared=0s");
        string[] left =
        [
            .. Pods(),
            .. File.ReadLines("/proc/mounts").Where(line => line.Contains(Path, StringComparison.Ordinal)),
            .. uuids.SelectMany(uuid => Groups().Where(group => group.Contains(uuid, StringComparison.Ordinal))),
        ];
        Directory.Delete(Path, recursive: true);
        Assert.True(left.Length == 0, $"left behind: {string.Join(", ", left)}\n{collected}\n{again}");
    }

    static IEnumerable<string> Groups() => new[] { "/sys/fs/cgroup" }.Concat(Directory.GetDirectories("/sys/fs/cgroup"))
        .Select(root => root + "/nacelle").Where(Directory.Exists).SelectMany(Directory.GetDirectories);

    string[] Leftovers() =>
        [.. Directory.GetDirectories("/proc").Where(directory => char.IsAsciiDigit(directory[6])).Where(directory =>
        {
            try
            {
                return new FileInfo(directory + "/cwd").LinkTarget is { } target && target.StartsWith(Path, StringComparison.Ordinal);
            }
            catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
            {
                return false;
            }
        })];

    static string FindBinaries()
    {
        if (Environment.GetEnvironmentVariable("NACELLE_BIN") is { } given)
        {
            return System.IO.Path.GetFullPath(given);
        }

        for (var directory = AppContext.BaseDirectory; directory is not null; directory = System.IO.Path.GetDirectoryName(directory))
        {
            if (File.Exists($"{directory}/artifacts/bin/nacelle"))
            {
                return $"{directory}/artifacts/bin";
            }
        }

        throw new InvalidOperationException("publish the executables first: eng/publish.sh artifacts/bin");
    }
}

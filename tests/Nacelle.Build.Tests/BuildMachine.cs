using System.Diagnostics;
using System.Text;

namespace Nacelle.Build.Tests;

/// <summary>What a command printed, and how it ended.</summary>
public sealed record Result(int ExitCode, string Output, string Errors)
{
    public override string ToString() => $"exit code {ExitCode}\noutput: {Output}\nerrors: {Errors}";
}

/// <summary>A data directory of its own for the published executables, with a base image; clean again when it is disposed of.</summary>
public sealed class BuildMachine : IDisposable
{
    public const string Base = "localhost/base";

    public BuildMachine()
    {
        Assert.SkipUnless(Linux.Processes.IsRoot, "pods need root");
        Assert.SkipUnless(File.Exists("/bin/busybox"), "busybox-static is not installed");
        Path = $"{System.IO.Path.GetTempPath().TrimEnd('/')}/nacelle-build-{Guid.NewGuid():n}"; // lower case, for buildah makes a name of it
        Directory.CreateDirectory($"{Path}/config");
        File.WriteAllText($"{Path}/config/policy.json", """{"default":[{"type":"insecureAcceptAnything"}]}""");
        try
        {
            Shell(Path, BaseRoot);
            var built = Build(Path + "/base", "FROM scratch\nCOPY root /\nRUN chown -R app:app /home/app\nCMD [\"/bin/sh\"]\n", "-t", "base");
            Assert.True(built.ExitCode == 0, built.ToString());
        }
        catch
        {
            Shell("/", $"rm -rf '{Path}'"); // nobody disposes of what was not made
            throw;
        }
    }

    /// <summary>What images have: a shell with its tools, users, links between directories, and the mount points and files that runtimes want.</summary>
    const string BaseRoot = """
        mkdir -p base/root; cd base/root
        mkdir -p usr/bin usr/lib usr/share/data dev proc sys run tmp var/cache home/app etc root opt srv
        cp /bin/busybox usr/bin/busybox; for tool in $(/bin/busybox --list); do [ -e usr/bin/$tool ] || ln -s busybox usr/bin/$tool; done
        ln -s usr/bin bin; ln -s usr/lib lib; ln -s ../run var/run
        printf 'root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001:app:/home/app:/bin/sh\n' >etc/passwd
        printf 'root:x:0:\nusers:x:100:app\napp:x:1001:\n' >etc/group; printf 'root:*:::::::\n' >etc/shadow; chmod 640 etc/shadow
        echo old >usr/share/data/old; : >etc/hosts; : >etc/hostname; : >etc/resolv.conf
        chmod 1777 tmp; chmod 700 root; find . -exec touch -h -d '2001-02-03 UTC' {} +
        """;

    public string Path { get; }

    public string Data => Path + "/data";

    public static string Binaries { get; } = System.IO.Path.Combine(Repository, "artifacts/bin");

    public static string Repository
    {
        get
        {
            var directory = new DirectoryInfo(AppContext.BaseDirectory);
            while (directory is not null && !File.Exists(System.IO.Path.Combine(directory.FullName, "Nacelle.slnx")))
            {
                directory = directory.Parent;
            }

            return directory?.FullName ?? throw new DirectoryNotFoundException("no Nacelle.slnx above the tests");
        }
    }

    public Result Nacelle(params IEnumerable<string> arguments) => Run(Binaries + "/nacelle", [$"--dir={Data}", $"--local-config={Path}/config", .. arguments]);

    /// <summary>Builds in a context directory, which is made where it is missing, from a Containerfile of this text.</summary>
    public Result Build(string context, string containerfile, params IEnumerable<string> flags)
    {
        Directory.CreateDirectory(context);
        File.WriteAllText(context + "/Containerfile", containerfile);
        return Nacelle(["build", .. flags, context]);
    }

    /// <summary>A new, empty context.</summary>
    public string Context(string setUp = "")
    {
        var context = $"{Path}/context-{Guid.NewGuid():n}";
        Directory.CreateDirectory(context);
        Shell(context, setUp);
        return context;
    }

    /// <summary>What a shell in the image prints.</summary>
    public string In(string image, string script)
    {
        var run = Nacelle("run", "--net=none", image, "--exec=/bin/sh", "--", "-c", script);
        Nacelle("gc", "--grace-period=0s");
        Assert.True(run.ExitCode == 0, run.ToString());
        return run.Output;
    }

    public static string Shell(string directory, string script)
    {
        var run = Run("/bin/sh", ["-ec", $"cd '{directory}'\n{script}"]);
        Assert.True(run.ExitCode == 0, $"{script}\n{run}");
        return run.Output;
    }

    public static ProcessStartInfo Prepare(string program, IEnumerable<string> arguments, params (string Name, string Value)[] environment)
    {
        // Whoever has started the tests in the background may have had SIGINT ignored, which is inherited.
        var start = new ProcessStartInfo("env", ["--default-signal=INT", program, .. arguments])
        {
            UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8, StandardErrorEncoding = Encoding.UTF8,
        };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        return start;
    }

    public static Result Run(string program, IEnumerable<string> arguments, params (string Name, string Value)[] environment)
    {
        using var process = Process.Start(Prepare(program, arguments, environment))!;
        process.StandardInput.Close();
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return new Result(process.ExitCode, output, errors.Result);
    }

    /// <summary>The command lines of all processes there are, their words ended by NUL characters. Who ends meanwhile is left out.</summary>
    public static IReadOnlyList<string> CommandLines()
    {
        var lines = new List<string>();
        foreach (var directory in Directory.GetDirectories("/proc").Where(path => char.IsAsciiDigit(path[^1])))
        {
            try
            {
                lines.Add(File.ReadAllText(directory + "/cmdline"));
            }
            catch (IOException)
            {
                // It has ended.
            }
        }

        return lines;
    }

    /// <summary>Everything but what stays on purpose: nothing of a build is left in the data directory.</summary>
    public void RequireNothingLeft()
    {
        Assert.DoesNotContain(Directory.GetDirectories(Data + "/builds"), path => path.Contains("/work-", StringComparison.Ordinal));
        Assert.DoesNotContain(Directory.GetDirectories(Data + "/layers"), path => System.IO.Path.GetFileName(path).StartsWith('.'));
        Assert.Empty(Directory.Exists(Data + "/pods") ? Directory.GetDirectories(Data + "/pods").SelectMany(Directory.GetDirectories) : []);
        Assert.DoesNotContain(File.ReadLines("/proc/self/mountinfo"), line => line.Contains(Path, StringComparison.Ordinal));
    }

    public void Dispose()
    {
        Nacelle("gc", "--grace-period=0s");
        Shell("/", $"rm -rf '{Path}'");
    }
}

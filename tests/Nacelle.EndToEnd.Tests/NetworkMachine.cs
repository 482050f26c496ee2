using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Nacelle.EndToEnd.Tests;

/// <summary>
/// A machine with a network of its own: pods that have one are attached there, and nothing of the real machine's is touched. Beyond it lies the world, on
/// 192.0.2.2 and 2001:db8::2, which knows the machine as 192.0.2.1 and 2001:db8::1, and nothing of its pods.
/// </summary>
public sealed class NetworkMachine : IDisposable
{
    public const string World = "192.0.2.2", WorldSix = "2001:db8::2", Outside = "192.0.2.1", OutsideSix = "2001:db8::1";

    readonly Machine machine = new();
    readonly List<Process> started = [];
    readonly Process host, world;

    public NetworkMachine()
    {
        Machine.Require("/bin/busybox", "/usr/sbin/ip", "/usr/bin/nsenter", "/usr/bin/unshare");

        // Leases, and links to pods, lie in /run/nacelle: the machine has its own.
        host = Hold("--net", "--mount", "--propagation", "private");
        world = Hold("--net");
        var made = InHost($"""
            mkdir -p /run/nacelle && mount -t tmpfs tmpfs /run/nacelle
            ip link set lo up
            ip link add up0 type veth peer name down0
            ip link set down0 netns {world.Id}
            ip addr add {Outside}/24 dev up0
            ip addr add {OutsideSix}/64 dev up0 nodad
            ip link set up0 up
            nsenter --target {world.Id} --net sh -ec 'ip link set lo up; ip addr add {World}/24 dev down0; ip addr add {WorldSix}/64 dev down0 nodad; ip link set down0 up'
            ip route add default via {World}
            ip -6 route add default via {WorldSix}
            """);
        Assert.True(made.ExitCode == 0, made.ToString());
    }

    public string Path => machine.Path;

    public string Pod(string uuid) => machine.Pod(uuid);

    public string? PidOf(string uuid) => machine.PidOf(uuid);

    /// <summary>Describes a network in the machine's configuration.</summary>
    /// <param name="file">Its name says where in the order the network stands.</param>
    public void Configure(string file, string json)
    {
        Directory.CreateDirectory($"{machine.Path}/config/net.d");
        File.WriteAllText($"{machine.Path}/config/net.d/{file}", json);
    }

    /// <summary>Runs nacelle there, and waits for it.</summary>
    public Result Nacelle(params string[] arguments) => Machine.Run("/usr/bin/nsenter", [.. Enter(host), Machine.Program, .. machine.Flags, .. arguments]);

    /// <summary>Runs a pod of the busybox image with a shell script as its app.</summary>
    public Result Shell(string script, params string[] flags) => Nacelle(["run", .. flags, TestImages.Busybox, "--exec=/bin/sh", "--", "-c", script]);

    /// <summary>Starts a pod that runs on.</summary>
    /// <returns>Its UUID.</returns>
    public string Start(string script, params string[] flags)
    {
        var result = Nacelle(["run", "--detach", .. flags, TestImages.Busybox, "--exec=/bin/sh", "--", "-c", script]);
        Assert.True(result.ExitCode == 0, result.ToString());
        return result.Output.Trim();
    }

    /// <summary>Begins to run nacelle there, and does not wait.</summary>
    public Process Begin(params string[] arguments)
    {
        var process = Process.Start(new ProcessStartInfo("/usr/bin/nsenter", [.. Enter(host), Machine.Program, .. machine.Flags, .. arguments])
        {
            UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        })!;
        process.StandardInput.Close();
        started.Add(process);
        return process;
    }

    /// <summary>Runs a shell script on the machine.</summary>
    public Result InHost(string script) => Machine.Run("/usr/bin/nsenter", [.. Enter(host), "/bin/sh", "-ec", script]);

    /// <summary>Runs a shell script beyond the machine.</summary>
    public Result InWorld(string script) => Machine.Run("/usr/bin/nsenter", $"--target={world.Id}", "--net", "/bin/sh", "-ec", script);

    /// <summary>A shell script that answers over HTTP, on port <paramref name="port"/>, with a name and the address of whoever asks, as it sees it.</summary>
    public static string Serve(string name, int port) => $"""
        mkdir -p /tmp/{name}/cgi-bin
        printf '#!/bin/sh\necho\necho {name} saw $REMOTE_ADDR\n' >/tmp/{name}/cgi-bin/who
        busybox chmod 755 /tmp/{name}/cgi-bin/who
        exec busybox httpd -f -p {port} -h /tmp/{name}
        """;

    /// <summary>A shell command that asks such a server.</summary>
    /// <param name="server">An address, of IPv6 in brackets, with the port.</param>
    public static string Ask(string server) => $"busybox timeout 3 busybox wget -qO- http://{server}/cgi-bin/who";

    /// <summary>Has a server in the world answer on port 7000.</summary>
    public void ServeInWorld()
    {
        var server = Process.Start(new ProcessStartInfo("/usr/bin/nsenter", [$"--target={world.Id}", "--net", "/bin/sh", "-ec", Serve($"world-{world.Id}", 7000)])
        {
            UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        })!;
        started.Add(server);
        Machine.Eventually(() => InWorld(Ask("127.0.0.1:7000")).ExitCode == 0, "the world's server answers");
    }

    /// <summary>The pod's address on its first network.</summary>
    /// <param name="family">4 or 6.</param>
    public string AddressOf(string uuid, int family = 4) => Regex.Match(Nacelle("status", uuid).Output, $"ip{family}=([^,\\s]+)", RegexOptions.None, TimeSpan.FromSeconds(1)) is { Success: true } found
            ? found.Groups[1].Value : throw new InvalidOperationException($"pod {uuid} has no address of IPv{family}");

    /// <summary>What pods have left on the machine: devices, leases, and elements of the packet filter.</summary>
    public string Leftovers() => InHost("""
        ip -o link show type veth | grep -v ' up0@' || true
        find /run/nacelle -type f ! -name 'last_reserved*' ! -name lock
        find /run/nacelle -type l
        nft list ruleset | grep 'comment.*eth' || true
        """).Output;

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

        var left = "";
        try
        {
            foreach (var pod in machine.Pods())
            {
                Nacelle("stop", "--force", System.IO.Path.GetFileName(pod));
            }

            Nacelle("gc", "--grace-period=0s");
            Nacelle("gc", "--grace-period=0s");
            Machine.Eventually(() => (left = Leftovers()).Length == 0, "the networks of dead pods are gone");
        }
        finally
        {
            host.Kill();
            world.Kill();
            host.WaitForExit();
            world.WaitForExit();
            machine.Dispose();
        }
    }

    /// <summary>A process that keeps namespaces.</summary>
    static Process Hold(params string[] namespaces)
    {
        var process = Process.Start(new ProcessStartInfo("/usr/bin/unshare", [.. namespaces, "/bin/sh", "-c", "echo made; exec sleep 3600"]) { UseShellExecute = false, RedirectStandardOutput = true })!;
        Assert.Equal("made", process.StandardOutput.ReadLine());
        return process;
    }

    static string[] Enter(Process holder) => [$"--target={holder.Id}", "--net", "--mount", $"--wd={Environment.CurrentDirectory}", "--"];
}

namespace Nacelle.EndToEnd.Tests;

/// <summary>A pod of <c>app sandbox</c> that runs, with its apps for short.</summary>
sealed class MutablePod
{
    readonly Machine machine;

    public MutablePod(Machine machine, params string[] flags)
    {
        this.machine = machine;
        var file = $"{machine.Path}/sandbox-{Guid.NewGuid():n}";
        Process = machine.Start(["app", "sandbox", $"--uuid-file-save={file}", .. flags]);
        Machine.Eventually(() => File.Exists(file) && File.ReadAllText(file).EndsWith('\n'), "the sandbox's UUID is written");
        Uuid = File.ReadAllText(file).Trim();
        Machine.Eventually(() => File.Exists($"{machine.Pod(Uuid)}/stage1/rootfs/rkt/supervisor-status") || Directory.Exists($"{machine.Pod(Uuid)}/stage1/rootfs/rkt") && IsReady(), "the sandbox is ready");
    }

    public System.Diagnostics.Process Process { get; }

    public string Uuid { get; }

    bool IsReady() => new FileInfo($"{machine.Pod(Uuid)}/stage1/rootfs/rkt/supervisor-status").LinkTarget == "ready";

    /// <summary>Adds a shell script as an app.</summary>
    public Result TryAdd(string name, string script, params string[] flags) =>
        machine.Nacelle(["app", "add", Uuid, TestImages.Busybox, $"--name={name}", "--exec=/bin/sh", .. flags, "--", "-c", script]);

    public void Add(string name, string script, params string[] flags) => Succeed(TryAdd(name, script, flags));

    public void AddAndStart(string name, string script, params string[] flags)
    {
        Add(name, script, flags);
        App("start", name);
    }

    public void App(string verb, string name) => Succeed(TryApp(verb, name));

    public Result TryApp(string verb, string name) => machine.Nacelle("app", verb, $"--app={name}", Uuid);

    /// <summary>What <c>app status</c> says of one thing, or null.</summary>
    public string? Status(string name, string key) =>
        TryApp("status", name).Output.Split('\n').FirstOrDefault(line => line.StartsWith(key + "=", StringComparison.Ordinal))?[(key.Length + 1)..];

    public void AwaitState(string name, string state) => Machine.Eventually(() => Status(name, "state") == state, $"app {name} is {state}: {TryApp("status", name)}");

    public string Log(string name) => File.ReadAllText($"{machine.Pod(Uuid)}/stage1/rootfs/rkt/logs/{name}.log");

    static void Succeed(Result result) => Assert.True(result.ExitCode == 0, $"{result}");
}

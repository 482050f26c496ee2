using System.Runtime.CompilerServices;
using Nacelle.Linux;

namespace Nacelle.Kernel.Tests;

/// <summary>A group for one test, removed with all that runs in it.</summary>
sealed class TestGroup : IDisposable
{
    public static readonly CgroupLayout Layout = CgroupLayout.Detect();

    readonly List<Process> processes = [];

    public TestGroup(CgroupControllers controllers, [CallerMemberName] string name = "")
    {
        Assert.SkipWhen(Layout.Kind == CgroupKind.None, "no cgroups are mounted");
        Group = Cgroup.Create(Layout, $"{LeakGuard.CgroupParent}/{name}", controllers);
    }

    public Cgroup Group { get; }

    public static bool Unified => Layout.Kind == CgroupKind.Unified;

    /// <summary>Skips the test where the machine lacks a controller.</summary>
    public TestGroup Needs(CgroupControllers controllers)
    {
        if ((Group.Controllers & controllers) != controllers)
        {
            Dispose();
            Assert.Skip($"this machine has no cgroup controller '{controllers & ~Group.Controllers}'");
        }

        return this;
    }

    /// <summary>Starts a shell command in the group: it joins as a container's first process does.</summary>
    public Process Start(string command)
    {
        var files = Group.OpenJoinFiles();
        var plan = new LaunchPlan();
        foreach (var file in files)
        {
            plan.Call($"join {file}", SystemCall.write, plan.Descriptor(file), plan.Text("0"), 1);
        }

        plan.Call("exec", SystemCall.execve, plan.Text("/bin/sh"), plan.TextArray(["sh", "-c", command]), plan.TextArray(["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]));
        var process = Launcher.Start(plan);
        processes.Add(process);
        foreach (var file in files)
        {
            file.Dispose();
        }

        return process;
    }

    /// <summary>Runs a shell command in the group to its end.</summary>
    public ExitStatus Run(string command)
    {
        var process = Start(command);
        processes.Remove(process);
        return process.Wait();
    }

    public void Forget(Process process) => processes.Remove(process);

    /// <summary>A file of the group; the name in version 2, the name in version 1 and the hierarchy.</summary>
    public string Read(string unified, string hierarchy, string legacy) =>
        File.ReadAllText(Unified
            ? $"{Layout.UnifiedMountPoint}{Group.Path}/{unified}"
            : Layout.Hierarchies.First(entry => entry.MountPoint.Split('/')[^1].Split(',').Contains(hierarchy)).MountPoint + $"{Group.Path}/{legacy}").Trim();

    public void Dispose()
    {
        Group.Kill();
        foreach (var process in processes)
        {
            process.Wait();
        }

        Group.Remove();
        Group.Dispose();
        Cgroup.TryRemoveEmpty(Layout, LeakGuard.CgroupParent);
    }
}

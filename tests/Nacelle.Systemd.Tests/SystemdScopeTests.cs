using System.Diagnostics;
using Nacelle.Linux;

namespace Nacelle.Systemd.Tests;

/// <summary>Units of the systemd that looks after this user: the machine's for root.</summary>
public sealed class SystemdScopeTests : IDisposable
{
    static readonly SystemdInstance Instance = Processes.IsRoot ? SystemdInstance.System : SystemdInstance.User;
    static readonly CgroupLayout Layout = CgroupLayout.Detect();
    static bool Unified => Layout.Kind == CgroupKind.Unified;

    readonly List<System.Diagnostics.Process> processes = [];
    readonly SystemdUnit unit = SystemdUnit.Parse($":nacelle-test:{Guid.NewGuid()}", "", Instance);

    [SystemdFact]
    public void A_process_is_put_into_a_scope_of_the_slice()
    {
        using var manager = SystemdManager.Open(Instance);
        var process = Sleep();
        string path = Start(manager, process, new CgroupLimits());
        Assert.EndsWith($"/{unit.Slice}/{unit.Name}", "/" + path, StringComparison.Ordinal);
        Assert.Contains($":{path}\n", File.ReadAllText($"/proc/{process.Id}/cgroup"), StringComparison.Ordinal);
        Assert.True(manager.GetProperty(unit.Name, "Delegate").AsBoolean);
    }

    [SystemdFact]
    public void Stopping_ends_the_processes_and_the_unit_is_forgotten()
    {
        using var manager = SystemdManager.Open(Instance);
        var process = Sleep();
        Start(manager, process, new CgroupLimits());
        manager.StopUnit(unit.Name);
        Assert.True(process.WaitForExit(5000));
        Assert.Throws<BusException>(() => manager.GetControlGroup(unit.Name));
        manager.StopUnit(unit.Name);
    }

    [SystemdFact]
    public void A_name_that_is_taken_is_refused_by_name()
    {
        using var manager = SystemdManager.Open(Instance);
        Start(manager, Sleep(), new CgroupLimits());
        var failure = Assert.Throws<BusException>(() => Start(manager, Sleep(), new CgroupLimits()));
        Assert.Equal("org.freedesktop.systemd1.UnitExists", failure.Error);
        Assert.Contains(unit.Name, failure.Message, StringComparison.Ordinal);
    }

    [SystemdFact]
    public void A_unit_that_has_failed_makes_room_for_a_new_one()
    {
        using var manager = SystemdManager.Open(Instance);
        var first = Sleep();
        Start(manager, first, new CgroupLimits(), ("org.systemd.property.RuntimeMaxUSec", "uint64 100000"));
        Assert.True(first.WaitForExit(10_000));
        for (int round = 0; round < 500 && Unit(manager, "ActiveState") != "failed"; round++)
        {
            Thread.Sleep(10);
        }

        Assert.Equal("failed", Unit(manager, "ActiveState"));
        var second = Sleep();
        Assert.Contains($":{Start(manager, second, new CgroupLimits())}\n", File.ReadAllText($"/proc/{second.Id}/cgroup"), StringComparison.Ordinal);
    }

    [SystemdFact]
    public void Systemd_knows_the_limits_and_new_ones()
    {
        using var manager = SystemdManager.Open(Instance);
        Start(manager, Sleep(), new CgroupLimits { Memory = 64 << 20, Pids = 30, CpuQuota = 50_000, CpuPeriod = 100_000, CpuShares = 512, Devices = DeviceRule.Default });
        string memory = Unified ? "MemoryMax" : "MemoryLimit";
        Assert.Equal(64UL << 20, manager.GetProperty(unit.Name, memory).AsNumber);
        Assert.Equal(30UL, manager.GetProperty(unit.Name, "TasksMax").AsNumber);
        Assert.Equal(500_000UL, manager.GetProperty(unit.Name, "CPUQuotaPerSecUSec").AsNumber);
        Assert.Equal(Unified ? 59UL : 512, manager.GetProperty(unit.Name, Unified ? "CPUWeight" : "CPUShares").AsNumber);
        Assert.Equal("strict", manager.GetProperty(unit.Name, "DevicePolicy").AsText);
        Assert.Contains("('/dev/char/1:3', 'rwm')", $"{manager.GetProperty(unit.Name, "DeviceAllow")}", StringComparison.Ordinal);

        SystemdScope.Update(manager, unit, new CgroupLimits { Memory = CgroupLimits.Unlimited, Pids = 40, Devices = [] }, Layout);
        Assert.Equal(ulong.MaxValue, manager.GetProperty(unit.Name, memory).AsNumber);
        Assert.Equal(40UL, manager.GetProperty(unit.Name, "TasksMax").AsNumber);
        Assert.Equal("@a(ss) []", $"{manager.GetProperty(unit.Name, "DeviceAllow")}");
    }

    [SystemdFact]
    public void Limits_hold_also_after_systemd_has_read_its_configuration_anew()
    {
        Assert.SkipUnless(Unified && Processes.IsRoot, "needs root and cgroup v2");
        using var manager = SystemdManager.Open(Instance);
        var limits = new CgroupLimits { Memory = 64 << 20, MemoryAndSwap = 64 << 20, Pids = 30, CpuQuota = 50_000, CpuPeriod = 100_000, CpuShares = 512, Devices = DeviceRule.Default };
        using var group = Cgroup.OpenOrCreate(Layout, new CgroupPath(Start(manager, Sleep(), limits)), limits.Controllers);
        Assert.SkipUnless((group.Controllers & CgroupControllers.Memory) != 0, "no controllers here: eng/guest.sh has them");
        var unset = group.Apply(limits);
        Assert.True(unset.Count == 0, string.Join("; ", unset));

        Run("/bin/systemctl", "daemon-reload");
        string Read(string file) => File.ReadAllText($"{Layout.UnifiedMountPoint}{group.Path}/{file}").Trim();
        Assert.Equal(
            ($"{64 << 20}", "0", "30", "50000 100000", "59"), (Read("memory.max"), Read("memory.swap.max"), Read("pids.max"), Read("cpu.max"), Read("cpu.weight")));
    }

    [SystemdFact]
    public void Annotations_become_properties()
    {
        using var manager = SystemdManager.Open(Instance);
        Start(
            manager, Sleep(), new CgroupLimits { Pids = 5 }, ("org.systemd.property.TimeoutStopSec", "7"), ("org.systemd.property.Description", "'mine'"),
            ("org.systemd.property.TasksMax", "uint64 6"), ("something.else", "x"));
        Assert.Equal(7_000_000UL, manager.GetProperty(unit.Name, "TimeoutStopUSec").AsNumber);
        Assert.Equal("mine", Unit(manager, "Description"));
        Assert.Equal(6UL, manager.GetProperty(unit.Name, "TasksMax").AsNumber);
    }

    [SystemdFact]
    public void A_property_that_systemd_does_not_have_is_named()
    {
        using var manager = SystemdManager.Open(Instance);
        var failure = Assert.Throws<BusException>(() => Start(manager, Sleep(), new CgroupLimits(), ("org.systemd.property.Unheard", "true")));
        Assert.Contains("Unheard", failure.Message, StringComparison.Ordinal);
    }

    [SystemdFact]
    public void The_bus_does_as_well_as_the_direct_way()
    {
        string bus = Processes.IsRoot ? "/run/dbus/system_bus_socket" : $"{Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR")}/bus";
        string variable = Processes.IsRoot ? "DBUS_SYSTEM_BUS_ADDRESS" : "DBUS_SESSION_BUS_ADDRESS";
        Assert.SkipUnless(File.Exists(bus), "no bus");
        Environment.SetEnvironmentVariable(variable, $"unix:path=/nowhere;unix:path={bus}");
        try
        {
            using var manager = SystemdManager.Open(Instance);
            var process = Sleep();
            Start(manager, process, new CgroupLimits { Pids = 3 });
            Assert.Equal(3UL, manager.GetProperty(unit.Name, "TasksMax").AsNumber);
            manager.StopUnit(unit.Name);
            Assert.True(process.WaitForExit(5000));
        }
        finally
        {
            Environment.SetEnvironmentVariable(variable, null);
        }
    }

    [SystemdFact]
    public void A_slice_is_made_as_well()
    {
        using var manager = SystemdManager.Open(Instance);
        var slice = new SystemdUnit("system.slice", $"nacelletest{Environment.ProcessId}.slice");
        string path = SystemdScope.Start(manager, slice, process: null, new CgroupLimits { Pids = 9 }, Layout, []);
        Assert.EndsWith("/" + slice.Name, path, StringComparison.Ordinal);
        manager.StopUnit(slice.Name);
    }

    public void Dispose()
    {
        foreach (var process in processes)
        {
            process.Kill();
            process.WaitForExit();
            process.Dispose();
        }

        if (processes.Count > 0)
        {
            using var manager = SystemdManager.Open(Instance);
            manager.StopUnit(unit.Name);
        }
    }

    string Start(SystemdManager manager, System.Diagnostics.Process process, CgroupLimits limits, params (string Key, string Value)[] annotations) =>
        SystemdScope.Start(manager, unit, process.Id, limits, Layout, annotations.Select(one => KeyValuePair.Create(one.Key, one.Value)));

    string Unit(SystemdManager manager, string property) => manager.GetUnitProperty(unit.Name, property).AsText;

    System.Diagnostics.Process Sleep()
    {
        processes.Add(System.Diagnostics.Process.Start("/bin/sleep", "1000"));
        return processes[^1];
    }

    static void Run(string program, params string[] arguments)
    {
        using var process = System.Diagnostics.Process.Start(new ProcessStartInfo(program, arguments))!;
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }
}

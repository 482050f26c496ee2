using Nacelle.Linux;

namespace Nacelle.Systemd;

/// <summary>Which systemd: the machine's, or the one that looks after this user's processes.</summary>
public enum SystemdInstance
{
    System,
    User,
}

/// <summary>A property of a unit, by its D-Bus name. See org.freedesktop.systemd1(5).</summary>
public readonly record struct SystemdProperty(string Name, BusValue Value)
{
    public override string ToString() => $"{Name}={Value}";
}

/// <summary>A running systemd, asked over D-Bus. See org.freedesktop.systemd1(5), "The Manager Object".</summary>
public sealed class SystemdManager : IDisposable
{
    const string Service = "org.freedesktop.systemd1", ManagerPath = "/org/freedesktop/systemd1", Face = "org.freedesktop.systemd1.Manager";
    const string NoSuchUnit = "org.freedesktop.systemd1.NoSuchUnit", UnitExists = "org.freedesktop.systemd1.UnitExists";

    readonly BusConnection connection;
    bool listening;

    SystemdManager(BusConnection connection) => this.connection = connection;

    /// <summary>Connects over the bus that the environment names; else over systemd's own socket, then over the usual bus.</summary>
    /// <exception cref="KernelException">No systemd can be reached, with the reason of the first that was tried.</exception>
    /// <exception cref="BusException">It does not want us.</exception>
    public static SystemdManager Open(SystemdInstance instance)
    {
        bool system = instance == SystemdInstance.System;
        string? runtime = system ? "/run" : Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") ?? $"/run/user/{Processes.EffectiveUserId}";
        if (Environment.GetEnvironmentVariable(system ? "DBUS_SYSTEM_BUS_ADDRESS" : "DBUS_SESSION_BUS_ADDRESS") is { Length: > 0 } addresses)
        {
            return new(BusConnection.OpenBus(addresses));
        }

        try
        {
            return new(BusConnection.OpenDirect($"{runtime}/systemd/private"));
        }
        catch (KernelException failure) when (failure.Errno is Errno.ENOENT or Errno.ECONNREFUSED or Errno.EACCES or Errno.ECONNRESET)
        {
            try
            {
                return new(BusConnection.OpenBus($"unix:path={runtime}/{(system ? "dbus/system_bus_socket" : "bus")}"));
            }
            catch (KernelException)
            {
                throw failure;
            }
        }
    }

    /// <summary>Makes a unit that no file describes, and waits until it runs. A unit of the name that has failed and was left over makes room.</summary>
    /// <exception cref="BusException">A property that this systemd does not take; a unit of the name runs already; or the start failed.</exception>
    public void StartTransientUnit(string unit, IReadOnlyList<SystemdProperty> properties)
    {
        var arguments = (BusValue[])[BusValue.Text(unit), BusValue.Text("replace"), ToArray(properties), BusValue.Array("(sa(sv))")];
        Listen();
        IReadOnlyList<BusValue> job;
        try
        {
            job = Call("StartTransientUnit", arguments);
        }
        catch (BusException failure) when (failure.Error == UnitExists)
        {
            ResetFailed(unit);
            job = Call("StartTransientUnit", arguments);
        }

        WaitForJob($"start {unit}", job);
    }

    /// <summary>Stops a unit with all its processes, and waits until it has; nothing happens when there is none.</summary>
    /// <exception cref="BusException">It does not stop.</exception>
    public void StopUnit(string unit)
    {
        Listen();
        try
        {
            WaitForJob($"stop {unit}", Call("StopUnit", BusValue.Text(unit), BusValue.Text("replace")));
        }
        catch (BusException failure) when (failure.Error == NoSuchUnit)
        {
            // It went with its last process.
        }

        ResetFailed(unit);
    }

    /// <summary>Changes properties of a unit until it ends.</summary>
    /// <exception cref="BusException">There is no such unit, or it does not take a property.</exception>
    public void SetProperties(string unit, IReadOnlyList<SystemdProperty> properties) =>
        Call("SetUnitProperties", BusValue.Text(unit), BusValue.Boolean(true), ToArray(properties));

    /// <summary>Lets systemd forget a unit that has failed; nothing happens when there is none.</summary>
    public void ResetFailed(string unit)
    {
        try
        {
            Call("ResetFailedUnit", BusValue.Text(unit));
        }
        catch (BusException failure) when (failure.Error == NoSuchUnit)
        {
            // Forgotten already.
        }
    }

    /// <summary>A property that all units have: <c>ActiveState</c>, <c>Description</c>.</summary>
    public BusValue GetUnitProperty(string unit, string name) => GetProperty(unit, $"{Service}.Unit", name);

    /// <summary>A property that units of its kind have: <c>MemoryMax</c> of a scope.</summary>
    public BusValue GetProperty(string unit, string name)
    {
        string kind = unit[(unit.LastIndexOf('.') + 1)..];
        return GetProperty(unit, $"{Service}.{char.ToUpperInvariant(kind[0])}{kind[1..]}", name);
    }

    /// <summary>The path of a unit's control group, from the root of every hierarchy.</summary>
    /// <exception cref="BusException">It has none: it does not run.</exception>
    public string GetControlGroup(string unit) => GetProperty(unit, "ControlGroup") is { Signature: "s", AsText: { Length: > 0 } path }
        ? path
        : throw new BusException($"find the control group of {unit}", "", "it has none");

    public void Dispose() => connection.Dispose();

    BusValue GetProperty(string unit, string face, string name) =>
        connection.Call(Service, SystemdUnit.ObjectPath(unit), "org.freedesktop.DBus.Properties", "Get", BusValue.Text(face), BusValue.Text(name)) is [{ Signature: "v" } value]
            ? value.Inner
            : throw new BusException($"get {name} of {unit}", "", "it has no value");

    IReadOnlyList<BusValue> Call(string member, params BusValue[] arguments) => connection.Call(Service, ManagerPath, Face, member, arguments);

    /// <summary>Before a job is made, so that its end is not missed.</summary>
    void Listen()
    {
        if (!listening)
        {
            connection.Subscribe(Service, ManagerPath, Face, "JobRemoved");
            Call("Subscribe");
            listening = true;
        }
    }

    /// <summary>JobRemoved(u id, o job, s unit, s result).</summary>
    void WaitForJob(string operation, IReadOnlyList<BusValue> job)
    {
        string path = job is [{ Signature: "o" } only] ? only.AsText : throw new BusException(operation, "", "systemd names no job");
        var end = connection.WaitForSignal(Face, "JobRemoved", values => values is [_, { Signature: "o" } ended, _, { Signature: "s" }] && ended.AsText == path);
        if (end[3].AsText != "done")
        {
            throw new BusException(operation, "", $"the job ended with '{end[3].AsText}'");
        }
    }

    static BusValue ToArray(IReadOnlyList<SystemdProperty> properties) =>
        BusValue.Array("(sv)", [.. properties.Select(property => BusValue.Structure(BusValue.Text(property.Name), BusValue.Variant(property.Value)))]);
}

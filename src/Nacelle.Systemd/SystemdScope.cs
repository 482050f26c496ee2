using Nacelle.Linux;

namespace Nacelle.Systemd;

/// <summary>A container's processes as a unit of systemd, which so makes their control group and limits it as is told.</summary>
/// <remarks>
/// What systemd is not told it would set back to its own defaults whenever it reads its configuration anew, so it gets every limit that it knows. The
/// caller then sets all of them in the group as well (<see cref="Cgroup.Apply"/>): systemd does not know them all.
/// </remarks>
public static class SystemdScope
{
    /// <summary>Starts the unit with a process in it.</summary>
    /// <param name="process">Is moved into the new group; null for a slice, which has none of its own.</param>
    /// <param name="annotations">Of the OCI configuration; those of the form <c>org.systemd.property.NAME</c> become properties.</param>
    /// <returns>The path of the group, from the root of every hierarchy.</returns>
    /// <exception cref="BusException">systemd refuses a property, or the unit runs already.</exception>
    /// <exception cref="ArgumentException">An annotation cannot be read.</exception>
    public static string Start(
        SystemdManager manager, SystemdUnit unit, int? process, CgroupLimits limits, CgroupLayout layout, IEnumerable<KeyValuePair<string, string>> annotations)
    {
        manager.StartTransientUnit(unit.Name, Properties(unit, process, limits, layout, annotations));
        return manager.GetControlGroup(unit.Name);
    }

    /// <summary>Tells systemd new limits; those that are null stay as they are.</summary>
    public static void Update(SystemdManager manager, SystemdUnit unit, CgroupLimits limits, CgroupLayout layout)
    {
        if (SystemdLimits.Properties(limits, layout.Kind == CgroupKind.Unified) is { Count: > 0 } properties)
        {
            manager.SetProperties(unit.Name, properties);
        }
    }

    internal static List<SystemdProperty> Properties(
        SystemdUnit unit, int? process, CgroupLimits limits, CgroupLayout layout, IEnumerable<KeyValuePair<string, string>> annotations)
    {
        List<SystemdProperty> properties = [new("Description", BusValue.Text($"container {unit.Name}"))];
        if (unit.IsSlice)
        {
            // A slice lies where its name says; what is named beside it shall be there too.
            properties.Add(new("Wants", BusValue.Array("s", BusValue.Text(unit.Slice))));
        }
        else
        {
            properties.Add(new("Slice", BusValue.Text(unit.Slice)));
            properties.Add(new("Delegate", BusValue.Boolean(true)));
        }

        if (process is { } number)
        {
            properties.Add(new("PIDs", BusValue.Array("u", BusValue.UInt32((uint)number))));
        }

        properties.Add(new("DefaultDependencies", BusValue.Boolean(false)));
        bool unified = layout.Kind == CgroupKind.Unified;
        foreach (var account in (ReadOnlySpan<string>)["Memory", "CPU", unified ? "IO" : "BlockIO", "Tasks"])
        {
            properties.Add(new($"{account}Accounting", BusValue.Boolean(true)));
        }

        properties.AddRange(SystemdLimits.Properties(limits, unified));
        const string Prefix = "org.systemd.property.";
        foreach (var (key, value) in annotations.Where(annotation => annotation.Key.StartsWith(Prefix, StringComparison.Ordinal)))
        {
            var property = SystemdAnnotation.Parse(key[Prefix.Length..], value);
            properties.RemoveAll(other => other.Name == property.Name);
            properties.Add(property);
        }

        return properties;
    }
}

using System.Text;

namespace Nacelle.Specs;

static partial class RuntimeConfigCheck
{
    static readonly string[] DeviceTypes = ["c", "b", "u", "p"];

    // MINORBITS of the kernel's include/linux/kdev_t.h: larger numbers would name another device.
    const uint LargestMajor = 0xFFF;
    const uint LargestMinor = 0xFFFFF;

    /// <summary>Engines may list a device twice; the same path for two different ones is a mistake.</summary>
    static void Devices(IReadOnlyList<RuntimeDevice> devices)
    {
        var seen = new Dictionary<string, RuntimeDevice>(devices.Count, StringComparer.Ordinal);
        for (int i = 0; i < devices.Count; i++)
        {
            var device = devices[i];
            var at = $"linux.devices[{i}]";
            OneOf(at, ".type", device.Type, "a type of device", DeviceTypes);
            AbsolutePath(at, ".path", device.Path);
            Within(at, ".major", device.Major, 0, LargestMajor);
            Within(at, ".minor", device.Minor, 0, LargestMinor);
            if (!seen.TryAdd(device.Path, device) && seen[device.Path] is var other
                && (device.Type, device.Major, device.Minor) != (other.Type, other.Major, other.Minor))
            {
                throw new SpecException($"{at}.path", $"'{Short(device.Path)}' is there twice, for two different devices");
            }
        }
    }

    static void NetDevices(RuntimeLinux linux)
    {
        if (linux.NetDevices is not { Count: > 0 } devices)
        {
            return;
        }

        if (linux.FindNamespace("network") is null)
        {
            throw new SpecException("linux.netDevices", "has no network namespace to move them into");
        }

        var names = new HashSet<string>(devices.Count, StringComparer.Ordinal);
        foreach (var (name, device) in devices)
        {
            var inside = device.Name ?? name;
            if (!IsInterface(name))
            {
                throw new SpecException("linux.netDevices", $"'{Short(name)}' cannot be the name of a network interface");
            }

            if (!IsInterface(inside) || inside.AsSpan(0, inside.EndsWith("%d", StringComparison.Ordinal) ? inside.Length - 2 : inside.Length).Contains('%'))
            {
                throw new SpecException($"linux.netDevices.{name}.name", $"'{Short(inside)}' cannot be the name of a network interface, nor a template such as eth%d");
            }

            if (!names.Add(inside) && !inside.EndsWith("%d", StringComparison.Ordinal))
            {
                throw new SpecException($"linux.netDevices.{name}", $"'{inside}' would be there twice in the container");
            }
        }
    }

    /// <summary>As dev_valid_name in the kernel's net/core/dev.c.</summary>
    static bool IsInterface(string name) =>
        name is not ("" or "." or "..") && Encoding.UTF8.GetByteCount(name) <= 15 && !name.AsSpan().ContainsAny("/:\0 \t\n\v\f\r");
}

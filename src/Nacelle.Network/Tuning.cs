using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Network;

/// <summary>Changes settings of the pod's network and device: the plug-in tuning. What the device had before it gets back.</summary>
static class Tuning
{
    const string AllowList = "/etc/cni/tuning/allowlist.conf";

    public static readonly NetworkPlugin Plugin = new("tuning", Add, Delete, Check) { NeedsProgram = NeedsProgram };

    static NetworkResult Add(PluginCall call)
    {
        var wanted = TuningConfiguration.Read(call);
        var result = call.PreviousResult ?? throw new NetworkException(NetworkException.InvalidEnvironment, "it has to come after a plug-in that makes a device");
        var space = call.Namespace ?? throw new NetworkException(NetworkException.InvalidEnvironment, "there is no network namespace to change");
        using var undo = new Undo();
        NetworkNamespace.Run(space, () =>
        {
            foreach (var (name, value) in wanted.Settings)
            {
                KernelSetting.Write(name, value);
            }

            if (wanted.Link is not { } link)
            {
                return;
            }

            using var pod = NetlinkSocket.Open();
            var device = Find(pod, call.InterfaceName);
            TuningBackup.Of(device, link).Write(wanted.DataDirectory, call);
            undo.Add(() => Delete(call));
            pod.Apply(device.Changing(link));
        });
        undo.Forget();
        return wanted.Link?.HardwareAddress is { } mac
            ? result with { Interfaces = [.. result.Interfaces.Select(one => one.Name == call.InterfaceName ? one with { Mac = PluginOptions.FormatMac(mac) } : one)] }
            : result;
    }

    static void Delete(PluginCall call)
    {
        string directory = TuningConfiguration.Read(call).DataDirectory;
        if (TuningBackup.TryRead(directory, call) is not { } backup)
        {
            return;
        }

        if (call.Namespace is { } space)
        {
            using var pod = NetlinkSocket.Open(space);
            if (NetworkLink.Find(pod, call.InterfaceName) is { } device)
            {
                pod.Apply(device.Changing(backup.Link));
            }
        }

        TuningBackup.Remove(directory, call);
    }

    static void Check(PluginCall call)
    {
        var wanted = TuningConfiguration.Read(call);
        var space = call.Namespace ?? throw new NetworkException(NetworkException.InvalidEnvironment, "there is no network namespace to look into");
        NetworkNamespace.Run(space, () =>
        {
            foreach (var (name, value) in wanted.Settings)
            {
                string? found = KernelSetting.Read(name);
                Compare(found == value, $"{name} is {found ?? "not there"}, and not {value}");
            }

            if (wanted.Link is { } link)
            {
                using var pod = NetlinkSocket.Open();
                var device = Find(pod, call.InterfaceName);
                Compare(link.HardwareAddress is null || link.HardwareAddress.AsSpan().SequenceEqual(device.HardwareAddress), $"{device.Name} has the hardware address {PluginOptions.FormatMac(device.HardwareAddress)}");
                Compare(link.Mtu is null || link.Mtu == device.Mtu, $"{device.Name} has an MTU of {device.Mtu}");
                Compare(link.IsPromiscuous is null || device.IsPromiscuous, $"{device.Name} is not promiscuous any more");
                Compare(link.TakesAllGroups is null || link.TakesAllGroups == device.TakesAllGroups, $"{device.Name} {(device.TakesAllGroups ? "takes packets to all groups" : "does not take packets to all groups any more")}");
                Compare(link.QueueLength is null || link.QueueLength == device.QueueLength, $"{device.Name} has a queue of {device.QueueLength} packets");
            }
        });
    }

    static void Compare(bool same, string otherwise)
    {
        if (!same)
        {
            throw PodDevice.Missing(otherwise);
        }
    }

    static NetworkLink Find(NetlinkSocket pod, string name) => NetworkLink.Find(pod, name) ?? throw PodDevice.Missing($"there is no {name} in the pod");

    // The list holds regular expressions of another language's library.
    static string? NeedsProgram(SpecNode root) => Files.Exists(FileDescriptor.WorkingDirectory, AllowList) ? $"{AllowList} is only known to that" : null;
}

using CsCheck;
using Nacelle.Specs;

namespace Nacelle.Network.Tests;

/// <summary>Whatever the files of a pod's networks hold, they are read or refused with a complaint that names the file.</summary>
public sealed class FileMutationTests : IDisposable
{
    const string Signs = "{}[]\",:\\0-";

    readonly ShellPlugins pod = new();

    [Fact]
    public void A_plan_of_any_bytes_is_read_or_refused()
    {
        pod.Plan(ShellPlugins.Network("""{"cniVersion":"1.0.0","name":"n1","plugins":[{"type":"first","capabilities":{"mac":true}}]}""") with
        {
            Arguments = [new("IP", "10.1.0.9")], CapabilityArguments = new CapabilityArguments { Mac = "c2:11:22:33:44:55", PortMappings = [new PortMapping(1, 2, "tcp")] },
        });
        Mutate("network/plan", () => NetworkPlan.TryRead(pod.Pod));
    }

    [Fact]
    public void A_record_of_any_bytes_is_read_or_refused()
    {
        pod.Plan();
        new AttachmentRecord
        {
            ContainerId = "pod-1", InterfaceName = "eth0", NamespacePath = "/proc/7/ns/net", Version = CniVersion.Newest, Arguments = [new("IP", "10.1.0.9")],
            Network = NetworkConfiguration.Parse("""{"name":"n1","plugins":[{"type":"first"}]}"""u8, "test"), Result = new NetworkResult { Ips = [new NetworkIp(Cidr.Parse("10.1.0.9/16"))] },
        }.Write(pod.Pod);
        Mutate("network/eth0", () => AttachmentRecord.TryRead(pod.Pod, "eth0"));
    }

    [Fact]
    public void What_is_shown_of_any_bytes_is_read_or_refused()
    {
        PodNetworks.Write(pod.Pod, [new PodNetwork { Name = "n1", InterfaceName = "eth0", Addresses = [Cidr.Parse("10.1.0.9/16")], Ports = [new PortMapping(1, 2, "tcp")], Mac = "c2:11:22:33:44:55" }]);
        Mutate("net-info.json", () => PodNetworks.Read(pod.Pod));
    }

    public void Dispose() => pod.Dispose();

    void Mutate(string name, Func<object?> read)
    {
        string path = $"{pod.Path}/pod/{name}";
        var whole = File.ReadAllBytes(path);
        Gen.Select(Gen.Int[0, whole.Length - 1], Gen.OneOf(Gen.Byte, Gen.Int[0, Signs.Length - 1].Select(index => (byte)Signs[index])), Gen.Int[0, 3]).List[1, 4].Sample(
            changes =>
            {
                var bytes = whole.ToList();
                foreach (var (place, value, kind) in changes)
                {
                    int at = place % bytes.Count;
                    switch (kind)
                    {
                        case 0: bytes.RemoveAt(at); break;
                        case 1: bytes.Insert(at, value); break;
                        default: bytes[at] = value; break;
                    }
                }

                File.WriteAllBytes(path, [.. bytes]);
                try
                {
                    read();
                    return true;
                }
                catch (SpecException problem)
                {
                    return problem.Message.StartsWith($"{name}: ", StringComparison.Ordinal) && !problem.Message.Contains('\n');
                }
            },
            iter: 1000, threads: 1);
    }
}

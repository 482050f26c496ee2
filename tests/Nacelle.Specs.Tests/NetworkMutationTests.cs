using System.Text;
using CsCheck;

namespace Nacelle.Specs.Tests;

/// <summary>Whatever a configuration, a result or a fault says, it is taken or refused with a complaint, and what is taken can be written.</summary>
public sealed class NetworkMutationTests
{
    const string List = """
        {"cniVersion":"1.0.0","cniVersions":["0.4.0"],"name":"dbnet","disableCheck":true,"disableGC":"true","loadOnlyInlinedPlugins":false,"plugins":[
        {"type":"bridge","x":["\u00e4\ud83d\ude00",{"m":1e3}],"capabilities":{"mac":true},"ipam":{"type":"host-local"},"dns":{"nameservers":["10.1.0.1"],"domain":"d","search":["a"],"options":["b"]}}]}
        """;

    const string Result = """
        {"cniVersion":"1.0.0","interfaces":[{"name":"eth0","mac":"00:11:22:33:44:55","mtu":1400,"sandbox":"/a"}],"ips":[{"interface":0,"address":"10.1.0.5/16","gateway":"10.1.0.1"},{"address":"fd00::5/64"}],
        "ip4":{"ip":"10.1.0.5/16","routes":[{"dst":"0.0.0.0/0"}]},"routes":[{"dst":"::/0","gw":"fd00::2","mtu":1}],"dns":{"nameservers":["10.1.0.1"]}}
        """;

    const string Signs = "{}[]\",:\\0-";

    [Fact]
    public void A_configuration_of_any_bytes_is_taken_or_refused() =>
        Mutated(List).Sample(json => IsTakenOrRefused(() => NetworkConfiguration.Parse(json, "x"), network => Assert.True(network.Plugins.Count == 0 || NetworkConfiguration.Parse(network.ToJson(), "again").Name == network.Name)), iter: 5000);

    [Fact]
    public void A_result_of_any_bytes_is_taken_or_refused() =>
        Gen.Select(Mutated(Result), Gen.Int[0, CniVersion.Known.Count - 1]).Sample(
            (json, version) => IsTakenOrRefused(() => NetworkResult.Parse(json, CniVersion.Newest), result => NetworkResult.Parse(result.ToJson(CniVersion.Known[version]), CniVersion.Newest)), iter: 5000);

    [Fact]
    public void A_fault_of_any_bytes_is_one_or_none() => Mutated("""{"code":7,"msg":"m","details":"d"}""").Sample(json => IsTakenOrRefused(() => NetworkFault.TryParse(json), fault => { }), iter: 2000);

    static Gen<byte[]> Mutated(string text) => Gen.Select(Gen.Int[0, text.Length - 1], Gen.OneOf(Gen.Byte, Gen.Int[0, Signs.Length - 1].Select(index => (byte)Signs[index])), Gen.Int[0, 3]).List[1, 4].Select(changes =>
    {
        var bytes = Encoding.UTF8.GetBytes(text).ToList();
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

        return bytes.ToArray();
    });

    /// <param name="again">What must succeed with what was taken.</param>
    static bool IsTakenOrRefused<T>(Func<T> read, Action<T> again)
    {
        T taken;
        try
        {
            taken = read();
        }
        catch (SpecException problem)
        {
            return !problem.Message.Contains('\n');
        }

        again(taken);
        return true;
    }
}

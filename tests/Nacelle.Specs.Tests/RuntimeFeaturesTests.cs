using System.Text;
using System.Text.Json;

namespace Nacelle.Specs.Tests;

public sealed class RuntimeFeaturesTests
{
    static string Text(RuntimeFeatures features) => Encoding.UTF8.GetString(features.ToJson());

    [Fact]
    public void What_is_unknown_is_left_out_and_what_is_empty_is_not() =>
        Assert.Equal(
            """{"ociVersionMin":"1.0.0","ociVersionMax":"1.3.0","hooks":[],"linux":{"capabilities":["CAP_KILL"],"apparmor":{"enabled":false}}}""",
            Text(new RuntimeFeatures { Hooks = [], Linux = new LinuxFeatures { Namespaces = null, Capabilities = ["CAP_KILL"], Apparmor = false } }));

    [Fact]
    public void Every_feature_of_the_specification_has_its_place()
    {
        var features = new RuntimeFeatures
        {
            MountOptions = ["ro"],
            Linux = new LinuxFeatures
            {
                Namespaces = ["pid"], Capabilities = ["CAP_KILL"], Cgroup = new CgroupFeatures(true, false, true, false, true),
                Seccomp = new SeccompFeatures { Actions = ["A"], Operators = ["O"], Archs = ["R"], KnownFlags = ["K"], SupportedFlags = ["S"] },
                Apparmor = true, Selinux = false, IntelRdt = new IntelRdtFeatures(true, false, true),
                MemoryPolicy = new MemoryPolicyFeatures { Modes = ["M"], Flags = ["F"] }, IdMappedMounts = true, NetDevices = true,
            },
            Annotations = new Dictionary<string, string> { ["a"] = "b" },
            PotentiallyUnsafeConfigAnnotations = ["org.example."],
        };
        const string Expected = """
            {"ociVersionMin":"1.0.0","ociVersionMax":"1.3.0",
             "hooks":["prestart","createRuntime","createContainer","startContainer","poststart","poststop"],"mountOptions":["ro"],
             "linux":{"namespaces":["pid"],"capabilities":["CAP_KILL"],"cgroup":{"v1":true,"v2":false,"systemd":true,"systemdUser":false,"rdma":true},
               "seccomp":{"enabled":true,"actions":["A"],"operators":["O"],"archs":["R"],"knownFlags":["K"],"supportedFlags":["S"]},
               "apparmor":{"enabled":true},"selinux":{"enabled":false},"intelRdt":{"enabled":true,"schemata":false,"monitoring":true},
               "memoryPolicy":{"modes":["M"],"flags":["F"]},"mountExtensions":{"idmap":{"enabled":true}},"netDevices":{"enabled":true}},
             "annotations":{"a":"b"},"potentiallyUnsafeConfigAnnotations":["org.example."]}
            """;
        using var expected = JsonDocument.Parse(Expected);
        using var actual = JsonDocument.Parse(features.ToJson());
        Assert.True(JsonElement.DeepEquals(expected.RootElement, actual.RootElement), Text(features));
    }
}

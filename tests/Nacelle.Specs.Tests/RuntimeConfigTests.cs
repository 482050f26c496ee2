using System.Text;

namespace Nacelle.Specs.Tests;

public sealed class RuntimeConfigTests
{
    static RuntimeConfig Parse(string json) => RuntimeConfig.Parse(Encoding.UTF8.GetBytes(json), "config.json");

    [Fact]
    public void A_configuration_is_read_and_written_alike()
    {
        var config = Parse("""
            {"ociVersion":"1.2.0","hostname":"h","root":{"path":"rootfs","readonly":true},"annotations":{"a":"b"},
             "process":{"terminal":true,"consoleSize":{"height":24,"width":80},"user":{"uid":1,"gid":2,"umask":18,"additionalGids":[3]},"args":["a"],"env":["A=B"],"cwd":"/",
               "capabilities":{"bounding":["CAP_KILL"],"ambient":["CAP_CHOWN"]},"rlimits":[{"type":"RLIMIT_NOFILE","soft":1,"hard":18446744073709551615}],
               "noNewPrivileges":true,"oomScoreAdj":-5},
             "mounts":[{"destination":"/p","type":"proc","source":"proc","options":["nosuid"]}],
             "linux":{"namespaces":[{"type":"pid"},{"type":"network","path":"/n"}],"uidMappings":[{"containerID":0,"hostID":1,"size":2}],
               "devices":[{"path":"/dev/x","type":"c","major":1,"minor":2,"fileMode":438,"uid":0,"gid":0}],"cgroupsPath":"/c","sysctl":{"a.b":"1"},
               "resources":{"devices":[{"allow":false,"access":"rwm"}],"memory":{"limit":-1},"cpu":{"shares":2,"quota":-1,"period":3,"cpus":"0"},"pids":{"limit":4}},
               "seccomp":{"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":1,"architectures":["SCMP_ARCH_X86_64"],"flags":["SECCOMP_FILTER_FLAG_LOG"],
                 "syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":18446744073709551615,"valueTwo":1,"op":"SCMP_CMP_EQ"}]}]},
               "maskedPaths":["/m"],"readonlyPaths":["/r"]}}
            """);
        var again = RuntimeConfig.Parse(config.ToJson(), "again");
        Assert.Equal(Encoding.UTF8.GetString(config.ToJson()), Encoding.UTF8.GetString(again.ToJson()));
        Assert.Equal(ulong.MaxValue, again.Process!.Rlimits[0].Hard);
        Assert.Equal(ulong.MaxValue, again.Linux!.Seccomp!.Syscalls[0].Args[0].Value);
        Assert.Equal("/n", again.Linux.Namespaces[1].Path);
        Assert.Equal(-1, again.Linux.Resources!.Memory!.Limit);
        Assert.Equal(18u, again.Process.User.Umask);
    }

    [Theory]
    [InlineData("""{"ociVersion":1}""", "ociVersion: 1 is not a string")]
    [InlineData("""{}""", "ociVersion: is missing")]
    [InlineData("""{"ociVersion":"1","process":{"cwd":"/","rlimits":[{"type":"R","soft":-1,"hard":1}]}}""", "process.rlimits[0].soft: -1 is not a whole number")]
    [InlineData("""{"ociVersion":"1","mounts":[{"destination":"/"},{"type":"x"}]}""", "mounts[1].destination: is missing")]
    [InlineData("""{"ociVersion":"1","linux":{"seccomp":{"defaultAction":"A","syscalls":[{"names":"read","action":"B"}]}}}""", "linux.seccomp.syscalls[0].names: \"read\" is not an array")]
    [InlineData("""{"ociVersion":"1","linux":[]}""", "linux: [] is not an object")]
    public void What_is_wrong_is_said_with_its_path(string json, string complaint) =>
        Assert.StartsWith("config.json: " + complaint, Assert.Throws<SpecException>(() => Parse(json)).Message, StringComparison.Ordinal);

    [Fact]
    public void Null_is_the_same_as_nothing() => Assert.Empty(Parse("""{"ociVersion":"1","mounts":null,"linux":null}""").Mounts);
}

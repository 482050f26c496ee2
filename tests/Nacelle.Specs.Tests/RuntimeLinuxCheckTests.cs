namespace Nacelle.Specs.Tests;

public sealed class RuntimeLinuxCheckTests
{
    [Theory]
    [InlineData("namespaces[0].type", "\"pids\"", "namespaces[0].type: 'pids' is not a namespace: use pid, network, mount, ipc, uts, user, cgroup, time")]
    [InlineData("namespaces[3].type", "\"pid\"", "namespaces[3].type: 'pid' is there twice")]
    [InlineData("namespaces[1].path", "\"netns/a\"", "namespaces[1].path: 'netns/a' is not an absolute path")]
    [InlineData("namespaces[1].path", "\"/\\u0000\"", "namespaces[1].path: holds a NUL, where the kernel would cut it off")]
    [InlineData("namespaces[5].type", "\"pid\"", "namespaces[5].type: 'pid' is there twice")]
    [InlineData("uidMappings[1].hostID", "1000", "uidMappings[1]: overlaps with uidMappings[0]")]
    [InlineData("gidMappings", "null", "gidMappings: is missing: users and groups are mapped together or not at all")]
    [InlineData("uidMappings", "[]", "uidMappings: is missing: users and groups are mapped together or not at all")]
    [InlineData("timeOffsets.realtime", """{"secs":1}""", "timeOffsets: 'realtime' is not a clock with an offset: use monotonic, boottime")]
    [InlineData("timeOffsets.monotonic.nanosecs", "1000000000", "timeOffsets.monotonic.nanosecs: 1000000000 is out of range: use 0 to 999999999")]
    [InlineData("namespaces[7].path", "\"/proc/1/ns/time\"", "timeOffsets: has no time namespace of the container's own to apply to")]
    [InlineData("devices[0].type", "\"x\"", "devices[0].type: 'x' is not a type of device: use c, b, u, p")]
    [InlineData("devices[0].path", "\"dev/fuse\"", "devices[0].path: 'dev/fuse' is not an absolute path")]
    [InlineData("devices[0].major", "4096", "devices[0].major: 4096 is out of range: use 0 to 4095")]
    [InlineData("devices[0].minor", "1048576", "devices[0].minor: 1048576 is out of range: use 0 to 1048575")]
    [InlineData("devices[1].path", "\"/dev/fuse\"", "devices[1].path: '/dev/fuse' is there twice, for two different devices")]
    [InlineData("cgroupsPath", "\"/a/../../b\"", "cgroupsPath: '/a/../../b' leads out of where it starts: leave out '..'")]
    [InlineData("cgroupsPath", "\"..\"", "cgroupsPath: '..' leads out of where it starts: leave out '..'")]
    [InlineData("cgroupsPath", "\"/a\\u0000\"", "cgroupsPath: holds a NUL, where the kernel would cut it off")]
    [InlineData("rootfsPropagation", "\"rec\"", "rootfsPropagation: 'rec' is not a propagation: use shared, slave, private, unbindable, rshared, rslave, rprivate, runbindable")]
    [InlineData("maskedPaths", """["/a","b"]""", "maskedPaths[1]: 'b' is not an absolute path")]
    [InlineData("readonlyPaths", """["/\u0000"]""", "readonlyPaths[0]: holds a NUL, where the kernel would cut it off")]
    [InlineData("mountLabel", "\"\\u0000\"", "mountLabel: holds a NUL, where the kernel would cut it off")]
    [InlineData("personality.domain", "\"BSD\"", "personality.domain: 'BSD' is not an execution domain: use LINUX, LINUX32")]
    [InlineData("personality.flags", """["ADDR_NO_RANDOMIZE"]""", "personality.flags: 'ADDR_NO_RANDOMIZE' is not a flag: the specification has none")]
    [InlineData("intelRdt.closID", "\"..\"", "intelRdt.closID: '..' is not the name of a directory, nor '/'")]
    [InlineData("intelRdt.closID", "\"a/b\"", "intelRdt.closID: 'a/b' is not the name of a directory, nor '/'")]
    [InlineData("intelRdt.memBwSchema", "\"L3:0=1\"", "intelRdt.memBwSchema: 'L3:0=1' does not start with MB:")]
    [InlineData("intelRdt.memBwSchema", "\"MB:0=1\\nL3:0=f\"", "intelRdt.memBwSchema: 'MB:0=1\uFFFDL3:0=f' is more than one line")]
    [InlineData("intelRdt.l3CacheSchema", "\"L3:0=1\\n\"", "intelRdt.l3CacheSchema: 'L3:0=1\uFFFD' is more than one line")]
    [InlineData("intelRdt.schemata", """["a","b\n"]""", "intelRdt.schemata[1]: 'b\uFFFD' is more than one line")]
    public void A_broken_rule_is_named_with_its_path(string member, string value, string complaint) =>
        Assert.Equal("linux." + complaint, WholeConfig.Complaint(WholeConfig.With("linux." + member, value)));

    [Theory]
    [InlineData("namespaces[5].path", "\"/proc/1/ns/user\"")]
    [InlineData("intelRdt.closID", "\"/\"")]
    [InlineData("rootfsPropagation", "\"rshared\"")]
    [InlineData("cgroupsPath", "\"system.slice:docker:0123\"")]
    [InlineData("cgroupsPath", "\"relative/..a\"")]
    [InlineData("timeOffsets", "{}")]
    [InlineData("devices", """[{"type":"c","path":"/dev/x","major":1,"minor":2},{"type":"c","path":"/dev/x","major":1,"minor":2,"uid":1},{"type":"p","path":"/dev/y"}]""")]
    public void What_the_specification_and_engines_do_is_fine(string member, string value) =>
        Assert.Null(WholeConfig.Complaint(WholeConfig.With("linux." + member, value)));

    [Fact]
    public void A_user_namespace_may_come_without_mappings() =>
        Assert.Null(WholeConfig.Complaint("""{"ociVersion":"1.0.0","root":{"path":"r"},"process":{"cwd":"/","args":["a"]},"linux":{"namespaces":[{"type":"user"}]}}"""));

    [Theory]
    [InlineData("""{"uidMappings":[{"containerID":0,"hostID":0,"size":1}]}""", "linux.uidMappings: has no user namespace to apply to")]
    [InlineData("""{"gidMappings":[{"containerID":0,"hostID":0,"size":1}]}""", "linux.gidMappings: has no user namespace to apply to")]
    [InlineData("""{"timeOffsets":{"boottime":{}}}""", "linux.timeOffsets: has no time namespace of the container's own to apply to")]
    [InlineData("""{"netDevices":{"eth0":{}}}""", "linux.netDevices: has no network namespace to move them into")]
    [InlineData("""{"maskedPaths":["/proc/kcore"]}""", "linux.maskedPaths: would change the host: give the container a mount namespace")]
    [InlineData("""{"readonlyPaths":["/proc/sys"]}""", "linux.readonlyPaths: would change the host: give the container a mount namespace")]
    public void What_needs_a_namespace_is_refused_without_one(string linux, string complaint) =>
        Assert.Equal(complaint, WholeConfig.Complaint($$"""{"ociVersion":"1.0.0","root":{"path":"r"},"linux":{{linux}}}"""));

    [Theory]
    [InlineData("""{"":{}}""", "linux.netDevices: '' cannot be the name of a network interface")]
    [InlineData("""{"..":{}}""", "linux.netDevices: '..' cannot be the name of a network interface")]
    [InlineData("""{"0123456789abcdef":{}}""", "linux.netDevices: '0123456789abcdef' cannot be the name of a network interface")]
    [InlineData("""{"a b":{}}""", "linux.netDevices: 'a b' cannot be the name of a network interface")]
    [InlineData("""{"eth0":{"name":"a/b"}}""", "linux.netDevices.eth0.name: 'a/b' cannot be the name of a network interface, nor a template such as eth%d")]
    [InlineData("""{"eth0":{"name":"a:1"}}""", "linux.netDevices.eth0.name: 'a:1' cannot be the name of a network interface, nor a template such as eth%d")]
    [InlineData("""{"eth0":{"name":"%da"}}""", "linux.netDevices.eth0.name: '%da' cannot be the name of a network interface, nor a template such as eth%d")]
    [InlineData("""{"eth0":{"name":"%d%d"}}""", "linux.netDevices.eth0.name: '%d%d' cannot be the name of a network interface, nor a template such as eth%d")]
    [InlineData("""{"eth0":{},"eth1":{"name":"eth0"}}""", "linux.netDevices.eth1: 'eth0' would be there twice in the container")]
    [InlineData("""{"eth0":{"name":"e%d"},"eth1":{"name":"e%d"},"0123456789abcde":{}}""", null)]
    public void Network_interfaces_have_names_that_the_kernel_takes(string devices, string? complaint) =>
        Assert.Equal(complaint, WholeConfig.Complaint(WholeConfig.With("linux.netDevices", devices)));

    [Theory]
    [InlineData("""{"mode":"MPOL_X"}""", "mode: 'MPOL_X' is not a memory policy: use MPOL_DEFAULT, MPOL_BIND, MPOL_INTERLEAVE, MPOL_WEIGHTED_INTERLEAVE, MPOL_PREFERRED, MPOL_PREFERRED_MANY, MPOL_LOCAL")]
    [InlineData("""{"mode":"MPOL_LOCAL","nodes":"0"}""", "nodes: MPOL_LOCAL takes no nodes")]
    [InlineData("""{"mode":"MPOL_BIND"}""", "nodes: is missing: MPOL_BIND takes at least one node")]
    [InlineData("""{"mode":"MPOL_BIND","nodes":"a"}""", "nodes: 'a' is not a list of numbers and ranges such as 0-3,7")]
    [InlineData("""{"mode":"MPOL_BIND","nodes":"0","flags":["F"]}""", "flags[0]: 'F' is not a flag of memory policies: use MPOL_F_NUMA_BALANCING, MPOL_F_RELATIVE_NODES, MPOL_F_STATIC_NODES")]
    [InlineData("""{"mode":"MPOL_BIND","nodes":"0","flags":["MPOL_F_STATIC_NODES","MPOL_F_RELATIVE_NODES"]}""", "flags: MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES exclude each other")]
    [InlineData("""{"mode":"MPOL_PREFERRED","flags":["MPOL_F_STATIC_NODES"]}""", "flags: MPOL_F_STATIC_NODES says how nodes are meant, and there are none")]
    [InlineData("""{"mode":"MPOL_INTERLEAVE","nodes":"0","flags":["MPOL_F_NUMA_BALANCING"]}""", "flags: MPOL_F_NUMA_BALANCING goes with MPOL_BIND and MPOL_PREFERRED_MANY, not with MPOL_INTERLEAVE")]
    [InlineData("""{"mode":"MPOL_PREFERRED"}""", null)]
    [InlineData("""{"mode":"MPOL_DEFAULT"}""", null)]
    [InlineData("""{"mode":"MPOL_BIND","nodes":"0","flags":["MPOL_F_NUMA_BALANCING"]}""", null)]
    public void Memory_policies_have_rules_of_their_own(string policy, string? complaint) =>
        Assert.Equal(complaint is null ? null : "linux.memoryPolicy." + complaint, WholeConfig.Complaint(WholeConfig.With("linux.memoryPolicy", policy)));
}

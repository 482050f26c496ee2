namespace Nacelle.Specs.Tests;

public sealed class RuntimeSeccompCheckTests
{
    [Theory]
    [InlineData("defaultAction", "\"ALLOW\"", "defaultAction: 'ALLOW' is not an action: use SCMP_ACT_KILL, ")]
    [InlineData("defaultAction", "\"SCMP_ACT_ALLOW\"", "defaultErrnoRet: SCMP_ACT_ALLOW returns no error number: leave it out")]
    [InlineData("defaultErrnoRet", "4096", "defaultErrnoRet: 4096 is out of range: use 0 to 4095")]
    [InlineData("architectures[1]", "\"x86\"", "architectures[1]: 'x86' is not an architecture: use SCMP_ARCH_X86, ")]
    [InlineData("flags[0]", "\"LOG\"", "flags[0]: 'LOG' is not a flag of seccomp: use SECCOMP_FILTER_FLAG_TSYNC, ")]
    [InlineData("syscalls[0].names", "[]", "syscalls[0].names: is empty: name one system call at least")]
    [InlineData("syscalls[1].action", "\"NOTIFY\"", "syscalls[1].action: 'NOTIFY' is not an action: use SCMP_ACT_KILL, ")]
    [InlineData("syscalls[0].errnoRet", "1", "syscalls[0].errnoRet: SCMP_ACT_ALLOW returns no error number: leave it out")]
    [InlineData("syscalls[2].errnoRet", "4096", "syscalls[2].errnoRet: 4096 is out of range: use 0 to 4095")]
    [InlineData("syscalls[0].args[1].index", "6", "syscalls[0].args[1].index: 6 is out of range: use 0 to 5")]
    [InlineData("syscalls[0].args[0].op", "\"==\"", "syscalls[0].args[0].op: '==' is not an operator: use SCMP_CMP_NE, ")]
    [InlineData("listenerPath", "\"agent.sock\"", "listenerPath: 'agent.sock' is not an absolute path")]
    public void A_broken_rule_is_named_with_its_path(string member, string value, string complaint) =>
        Assert.StartsWith("linux.seccomp." + complaint, WholeConfig.Complaint(WholeConfig.With("linux.seccomp." + member, value)), StringComparison.Ordinal);

    static string? Complaint(string seccomp) => WholeConfig.Complaint(WholeConfig.With("linux.seccomp", seccomp));

    [Theory]
    [InlineData("""{"defaultAction":"SCMP_ACT_NOTIFY","listenerPath":"/a"}""", "defaultAction: SCMP_ACT_NOTIFY would have the listener answer for calls that start the container")]
    [InlineData("""{"defaultAction":"SCMP_ACT_ALLOW","listenerMetadata":"m"}""", "listenerMetadata: has nobody to be told to: there is no listenerPath")]
    [InlineData("""{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["a"],"action":"SCMP_ACT_NOTIFY"}]}""", "listenerPath: is missing: SCMP_ACT_NOTIFY needs a listener")]
    [InlineData("""{"defaultAction":"SCMP_ACT_ALLOW","flags":["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]}""", "flags: SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV goes with SCMP_ACT_NOTIFY only")]
    [InlineData("""{"defaultAction":"SCMP_ACT_TRACE","defaultErrnoRet":65536}""", "defaultErrnoRet: 65536 is out of range: use 0 to 65535")]
    public void A_listener_and_what_it_is_for_go_together(string seccomp, string complaint) => Assert.Equal("linux.seccomp." + complaint, Complaint(seccomp));

    [Fact]
    public void The_path_of_a_listener_must_fit_a_socket() =>
        Assert.EndsWith(
            "is too long for a socket: at most 107 bytes",
            Complaint($$"""{"defaultAction":"SCMP_ACT_ALLOW","listenerPath":"/{{new string('a', 107)}}","syscalls":[{"names":["a"],"action":"SCMP_ACT_NOTIFY"}]}"""),
            StringComparison.Ordinal);

    [Theory]
    [InlineData("""{"defaultAction":"SCMP_ACT_ALLOW","listenerPath":"ignored"}""")]
    [InlineData("""{"defaultAction":"SCMP_ACT_TRACE","defaultErrnoRet":65535}""")]
    [InlineData("""{"defaultAction":"SCMP_ACT_LOG","syscalls":[{"names":["no_such_call"],"action":"SCMP_ACT_KILL_PROCESS"}]}""")]
    public void What_the_specification_allows_is_fine(string seccomp) => Assert.Null(Complaint(seccomp));

    [Fact]
    public void Every_word_of_the_specification_is_known()
    {
        foreach (var action in RuntimeNames.SeccompActions)
        {
            Assert.Null(WholeConfig.Complaint(WholeConfig.With("linux.seccomp.syscalls[1].action", $"\"{action}\"")));
        }

        foreach (var comparison in RuntimeNames.SeccompOperators)
        {
            Assert.Null(WholeConfig.Complaint(WholeConfig.With("linux.seccomp.syscalls[0].args[0].op", $"\"{comparison}\"")));
        }

        Assert.Null(WholeConfig.Complaint(WholeConfig.With("linux.seccomp.architectures", $"[\"{string.Join("\",\"", RuntimeNames.SeccompArchitectures)}\"]")));
        Assert.Null(WholeConfig.Complaint(WholeConfig.With("linux.seccomp.flags", $"[\"{string.Join("\",\"", RuntimeNames.SeccompFlags)}\"]")));
    }
}

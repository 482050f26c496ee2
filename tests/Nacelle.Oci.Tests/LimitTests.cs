using System.Text.Json.Nodes;

namespace Nacelle.Oci.Tests;

/// <summary>Resource limits of the process.</summary>
public sealed class LimitTests
{
    static readonly (string Type, string Line)[] Limits =
    [
        ("RLIMIT_AS", "Max address space"), ("RLIMIT_CORE", "Max core file size"), ("RLIMIT_CPU", "Max cpu time"), ("RLIMIT_DATA", "Max data size"),
        ("RLIMIT_FSIZE", "Max file size"), ("RLIMIT_LOCKS", "Max file locks"), ("RLIMIT_MEMLOCK", "Max locked memory"), ("RLIMIT_MSGQUEUE", "Max msgqueue size"),
        ("RLIMIT_NICE", "Max nice priority"), ("RLIMIT_NOFILE", "Max open files"), ("RLIMIT_NPROC", "Max processes"), ("RLIMIT_RSS", "Max resident set"),
        ("RLIMIT_RTPRIO", "Max realtime priority"), ("RLIMIT_RTTIME", "Max realtime timeout"), ("RLIMIT_SIGPENDING", "Max pending signals"), ("RLIMIT_STACK", "Max stack size"),
    ];

    // config.md, "POSIX process", rlimits: every limit of getrlimit(2) is known, and its soft and hard values are what was given.
    [Fact]
    public void Every_limit_has_the_values_that_are_given()
    {
        using var machine = new OciMachine();
        var before = File.ReadAllText("/proc/self/limits");
        var bundle = machine.NewBundle("/bin/cat", "/proc/self/limits");
        bundle.Process["rlimits"] = new JsonArray([.. Limits.Select(one => Limit(one.Type, Smaller(Hard(before, one.Line)), Hard(before, one.Line)))]);
        var table = machine.OutputOf(bundle);
        foreach (var (type, line) in Limits)
        {
            Assert.True(Soft(table, line) == Smaller(Hard(before, line)) && Hard(table, line) == Hard(before, line), $"{type}:\n{table}");
        }
    }

    // config.md, "POSIX process", rlimits, hard: the hard value can be lowered.
    [Fact]
    public void A_hard_limit_is_what_was_given()
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/cat", "/proc/self/limits");
        bundle.Process["rlimits"] = new JsonArray(Limit("RLIMIT_NOFILE", 100, 200), Limit("RLIMIT_CORE", 0, 0));
        var table = machine.OutputOf(bundle);
        Assert.Equal((100ul, 200ul), (Soft(table, "Max open files"), Hard(table, "Max open files")));
        Assert.Equal((0ul, 0ul), (Soft(table, "Max core file size"), Hard(table, "Max core file size")));
    }

    // config.md, "POSIX process", rlimits: limits that are not named are left alone.
    [Fact]
    public void A_limit_that_is_not_given_is_left_alone()
    {
        using var machine = new OciMachine();
        var table = machine.OutputOf(machine.NewBundle("/bin/cat", "/proc/self/limits"));
        Assert.Equal(Hard(File.ReadAllText("/proc/self/limits"), "Max processes"), Hard(table, "Max processes"));
    }

    // config.md, "POSIX process", rlimits, type: a name that getrlimit(2) does not have is an error.
    [Theory]
    [InlineData("RLIMIT_NOSUCH")]
    [InlineData("NOFILE")]
    [InlineData("rlimit_nofile")]
    [InlineData("")]
    public void A_limit_that_there_is_not_is_an_error(string type)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/true");
        bundle.Process["rlimits"] = new JsonArray(Limit(type, 64, 64));
        machine.Refuses(bundle, "process.rlimits", type);
    }

    // config.md, "POSIX process", rlimits: the same type twice is an error.
    [Fact]
    public void A_limit_that_is_there_twice_is_an_error()
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/true");
        bundle.Process["rlimits"] = new JsonArray(Limit("RLIMIT_NOFILE", 10, 10), Limit("RLIMIT_CORE", 0, 0), Limit("RLIMIT_NOFILE", 10, 10));
        machine.Refuses(bundle, "process.rlimits[2]", "RLIMIT_NOFILE");
    }

    // config.md, "POSIX process", rlimits, hard: only a privileged process can raise one; who cannot gets an error.
    [Fact]
    public void A_hard_limit_that_cannot_be_raised_is_an_error()
    {
        const ulong CAP_SYS_RESOURCE = 1ul << 24;
        var own = Convert.ToUInt64(Expectations.StatusOf(File.ReadAllText("/proc/self/status"), "CapEff"), 16);
        Assert.SkipWhen((own & CAP_SYS_RESOURCE) != 0, "the tests may raise hard limits");
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/true");
        bundle.Process["rlimits"] = new JsonArray(Limit("RLIMIT_NOFILE", 10, Hard(File.ReadAllText("/proc/self/limits"), "Max open files") + 1));
        machine.Refuses(bundle, "RLIMIT_NOFILE", "EPERM");
    }

    static JsonObject Limit(string type, ulong soft, ulong hard) => new() { ["type"] = type, ["soft"] = soft, ["hard"] = hard };

    /// <summary>Something else than the hard limit that a shell can still live with.</summary>
    static ulong Smaller(ulong hard) => hard > 1 << 30 ? 1 << 30 : hard > 64 ? hard - 1 : hard;

    static ulong Soft(string table, string line) => Number(table, line, 0);

    static ulong Hard(string table, string line) => Number(table, line, 1);

    static ulong Number(string table, string line, int column)
    {
        var words = table.Split('\n').Single(text => text.StartsWith(line + " ", StringComparison.Ordinal))[25..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return words[column] == "unlimited" ? ulong.MaxValue : ulong.Parse(words[column]);
    }
}

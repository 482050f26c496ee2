namespace Nacelle.Build.Tests;

/// <summary>What hits the cache and what misses it. A step that hits is followed by a line "--> cached".</summary>
public sealed class CacheTests : IDisposable
{
    const string File = """
        FROM localhost/base
        ARG GREETING=hello
        ENV SET=1
        COPY --chown=1000 tree /tree
        RUN echo $GREETING >/greeting
        RUN cat /tree/a >/copy
        LABEL x=y
        """;

    readonly BuildMachine machine = new();
    readonly string context;

    public CacheTests() => context = machine.Context("mkdir -p tree/sub; echo a >tree/a; echo b >tree/sub/b; ln -s a tree/link; echo c >tree/sub/c; ln tree/a tree/again");

    /// <returns>For each step that makes a layer whether it was cached, as a text: c or -.</returns>
    string Cached(string file = File, params string[] flags)
    {
        var result = machine.Build(context, file, ["-t", "cached", .. flags]);
        Assert.True(result.ExitCode == 0, result.ToString());
        var lines = result.Errors.Split('\n');
        return string.Concat(lines.Index().Where(line => line.Item.Contains("] COPY", StringComparison.Ordinal) || line.Item.Contains("] RUN", StringComparison.Ordinal) || line.Item.Contains("] WORKDIR", StringComparison.Ordinal))
            .Select(line => lines[line.Index + 1] == "--> cached" ? 'c' : '-'));
    }

    [Fact]
    public void Nothing_changed_hits_everything_and_gives_the_same_image()
    {
        Assert.Equal("---", Cached());
        var first = machine.Nacelle("image", "list").Output;
        Assert.Equal("ccc", Cached());
        Assert.Equal(first.Split('\n')[2].Split('\t')[0], machine.Nacelle("image", "list").Output.Split('\n')[2].Split('\t')[0]);
        machine.RequireNothingLeft();
    }

    [Theory]
    [InlineData("touch -d '2020-01-01' tree/a", "ccc")]
    [InlineData("echo other >tree/a", "---")]
    [InlineData("chmod 600 tree/sub/b", "---")]
    [InlineData("mv tree/sub/b tree/sub/b2", "---")]
    [InlineData("ln -sf b tree/link", "---")]
    [InlineData("rm tree/sub/c", "---")]
    [InlineData("mkdir tree/empty", "---")]
    [InlineData("setfattr -n user.x -v 1 tree/a", "---")]
    [InlineData("chown 5:6 tree/a", "ccc")]
    [InlineData("echo new >beside", "ccc")]
    [InlineData("printf 'tree/sub/c\\n' >.dockerignore", "---")]
    public void A_change_of_the_context(string change, string expected)
    {
        Cached();
        BuildMachine.Shell(context, change);
        Assert.Equal(expected, Cached());
    }

    [Theory]
    [InlineData("ARG GREETING=hello", "ARG GREETING=bye", "c--")]
    [InlineData("ENV SET=1", "ENV SET=2", "c--")]
    [InlineData("--chown=1000", "--chown=1001", "---")]
    [InlineData("--chown=1000", "--chmod=700", "---")]
    [InlineData("tree /tree", "tree /tree/", "-cc")]
    [InlineData("RUN cat /tree/a", "RUN cat  /tree/a", "cc-")]
    [InlineData("RUN cat /tree/a", "USER app\nRUN cat /tree/a", "cc-", "RUN cat /tree/a >/copy", "USER app\nRUN cat /tree/a >/tmp/copy")]
    [InlineData("RUN cat /tree/a", "WORKDIR /tmp\nRUN cat /tree/a", "cc--")]
    [InlineData("RUN cat /tree/a", "SHELL [\"/bin/sh\", \"-e\", \"-c\"]\nRUN cat /tree/a", "cc-")]
    [InlineData("RUN cat /tree/a", "RUN --mount=type=tmpfs,target=/opt cat /tree/a", "cc-")]
    [InlineData("LABEL x=y", "LABEL x=z", "ccc")]
    public void A_change_of_the_Containerfile(string from, string to, string expected, string? otherFrom = null, string? otherTo = null)
    {
        Cached();
        Assert.Equal(expected, Cached(File.Replace(otherFrom ?? from, otherTo ?? to, StringComparison.Ordinal)));
    }

    [Fact]
    public void A_flag_that_changes_what_comes_out_misses_and_no_cache_does_everything_anew()
    {
        Cached();
        Assert.Equal("c--", Cached(File, "--build-arg=GREETING=hi"));
        Assert.Equal("---", Cached(File, "--compression=zstd"));
        Assert.Equal("---", Cached(File, "--timestamp=1000"));
        Assert.Equal("---", Cached(File, "--no-cache"));
        Assert.Equal("ccc", Cached());
        Assert.Equal("ccc", Cached(File, "--label=a=b"));
    }

    [Fact]
    public void A_step_whose_layer_was_removed_is_done_again()
    {
        Cached();
        BuildMachine.Shell(machine.Data, "rm -r layers/*");
        Assert.NotEqual(0, machine.Build(context, File).ExitCode); // the base image is gone as well
        BuildMachine.Shell(machine.Path, "true");
        machine.Build(machine.Path + "/base", "FROM scratch\nCOPY root /\nRUN chown -R app:app /home/app\nCMD [\"/bin/sh\"]\n", "-t", "base");
        Assert.EndsWith("--", Cached(), StringComparison.Ordinal);
    }

    [Fact]
    public void Collecting_keeps_what_is_cached_and_what_a_removed_image_shared_with_it()
    {
        Cached();
        Assert.Equal(0, machine.Nacelle("image", "rm", "cached").ExitCode);
        Assert.Equal(0, machine.Nacelle("gc", "--grace-period=0s").ExitCode);
        Assert.Equal("ccc", Cached());
        BuildMachine.Shell(machine.Data, "touch -d '8 days ago' builds/cache/*");
        machine.Nacelle("image", "rm", "cached");
        Assert.Equal(0, machine.Nacelle("gc", "--grace-period=0s").ExitCode);
        Assert.Equal("---", Cached());
    }

    [Fact]
    public void Stages_are_known_by_what_is_in_them()
    {
        const string Stages = "FROM localhost/base AS one\nRUN echo made >/made\nFROM localhost/base\nCOPY --from=one /made /\nRUN cat /made >/again\n";
        Assert.Equal("---", Cached(Stages, "--timestamp=1000"));
        Assert.Equal("ccc", Cached(Stages, "--timestamp=1000"));
        // Another way to the same content: the stage is new, what comes of it is not.
        Assert.Equal("-cc", Cached(Stages.Replace("RUN echo made", "RUN true; echo made", StringComparison.Ordinal), "--timestamp=1000"));
    }

    public void Dispose() => machine.Dispose();
}

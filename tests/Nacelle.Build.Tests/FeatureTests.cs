using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace Nacelle.Build.Tests;

/// <summary>What Debian's buildah does not know yet, or does otherwise on purpose.</summary>
public sealed class FeatureTests : IDisposable
{
    readonly BuildMachine machine = new();

    string BuildAndRun(string text, string script, string setUp = "", params string[] flags)
    {
        var build = machine.Build(machine.Context(setUp), text, ["-t", "feature", .. flags]);
        Assert.True(build.ExitCode == 0, build.ToString());
        machine.RequireNothingLeft();
        return machine.In("feature", script);
    }

    [Fact]
    public void Heredocs_are_scripts_programs_and_files() => Assert.Equal(
        "one\ntwo \"2\"\nfrom awk 42\nhello world $X\n\tkept $NAME\n644 0:0\n",
        BuildAndRun(
            """
            FROM localhost/base
            ENV NAME=world
            RUN <<EOF
            echo one >/out
            X=2
            echo "two \"$X\"" >>/out
            EOF
            RUN <<EOF
            #!/bin/awk -f
            BEGIN { print "from awk", 6 * 7 >>"/out" }
            EOF
            COPY <<A <<"B" /files/
            hello $NAME \$X
            A
            	kept $NAME
            B
            RUN cat >>/out <<-X
            	$(cat /files/A)
            	X
            """,
            "cat /out /files/B; stat -c '%a %u:%g' /files/A"));

    [Fact]
    public void Parents_and_excludes_choose_what_is_copied() => Assert.Equal(
        "/kept/a/b/c.txt\n/kept/a/d.txt\n/pivot/b/c.txt\n/some/b/c.txt\n",
        BuildAndRun(
            "FROM localhost/base\nCOPY --parents a/*/c.txt a/d.txt /kept/\nCOPY --parents a/./b/c.txt /pivot/\nCOPY --exclude=*.txt --exclude=!b --exclude=**/*.o a /some/\nCOPY --exclude=d.txt --exclude=**/*.o a /some/\n",
            "find /kept /pivot /some -type f | sort",
            "mkdir -p a/b; echo c >a/b/c.txt; echo d >a/d.txt; echo o >a/b/x.o"));

    [Fact]
    public void Mounts_are_there_for_the_command_and_not_in_the_layer()
    {
        const string Text = """
            FROM localhost/base AS other
            RUN echo from stage >/file
            FROM localhost/base
            RUN --mount=type=bind,target=/ctx cat /ctx/sub/a >/out; ! touch /ctx/x 2>/dev/null
            RUN --mount=type=bind,from=other,source=/file,target=/mnt/file cat /mnt/file >>/out
            RUN --mount=type=bind,source=sub,target=/rw,rw echo changed >/rw/a
            RUN --mount=type=tmpfs,target=/scratch echo x >/scratch/x
            RUN --mount=type=cache,id=c,target=/var/cache/it,sharing=locked echo run >>/var/cache/it/log; wc -l </var/cache/it/log >/runs
            """;
        Assert.Equal("a\nfrom stage\n1\n", BuildAndRun(Text, "cat /out /runs; ls -d /ctx /mnt /rw /scratch /var/cache/it 2>/dev/null || :", "mkdir sub; echo a >sub/a"));
        Assert.Equal("a\nfrom stage\n2\n", BuildAndRun(Text, "cat /out /runs", "mkdir sub; echo a >sub/a", "--no-cache"));
    }

    [Fact]
    public void A_cache_may_begin_with_what_a_stage_has()
    {
        const string Text = """
            FROM localhost/base AS warm
            RUN mkdir -p /w/sub; echo warm >/w/sub/file; chown app /w/sub/file
            FROM localhost/base
            RUN --mount=type=cache,id=w,from=warm,source=/w,target=/c stat -c %u /c/sub/file >/out; echo run >>/c/log; cat /c/sub/file /c/log >>/out
            """;
        const string SameTime = "--timestamp=1000000000"; // without it the stage that is made anew is another, by its files' times
        Assert.Equal("1000\nwarm\nrun\n", BuildAndRun(Text, "cat /out; ls -d /c 2>/dev/null || :", "", SameTime));
        Assert.Equal("1000\nwarm\nrun\nrun\n", BuildAndRun(Text, "cat /out", "", "--no-cache", SameTime));
        Assert.Equal("1000\nother\nrun\n", BuildAndRun(Text.Replace("echo warm", "echo other", StringComparison.Ordinal), "cat /out"));
        var missing = machine.Build(machine.Context(), Text.Replace("source=/w", "source=/nowhere", StringComparison.Ordinal));
        Assert.EndsWith("Containerfile:4: RUN: 'nowhere' is not in 'warm'", missing.Errors.TrimEnd(), StringComparison.Ordinal);
        machine.RequireNothingLeft();
    }

    [Fact]
    public void Modes_are_changed_in_words_too() => Assert.Equal(
        "644 a/file\n755 a/run\n755 a\n640 there\n711 here\n",
        BuildAndRun(
            "FROM localhost/base\nCOPY --chmod=u=rwX,go=rX tree /a\nCOPY --chmod=u=rw,g=r,o= tree/file /there\nCOPY --chmod=u+x,go=x <<here /\nx\nhere\n",
            "cd /; stat -c '%a %n' a/file a/run a there here", "mkdir tree; touch tree/file tree/run; chmod 600 tree/file; chmod 700 tree/run tree"));

    [Fact]
    public void What_a_pod_has_of_its_own_never_gets_into_a_layer()
    {
        var context = machine.Context("cp /bin/busybox busybox");
        var build = machine.Build(context, "FROM scratch\nCOPY busybox /bin/busybox\nRUN [\"/bin/busybox\", \"mkdir\", \"/made\"]\n", "-t", "bare");
        Assert.True(build.ExitCode == 0, build.ToString());
        BuildMachine.Shell(machine.Path, "skopeo copy -q oci:data/images:localhost/bare:latest oci:bare:bare; umoci raw unpack --image bare:bare bare-rootfs");
        Assert.Equal("./bin\n./bin/busybox\n./made\n", BuildMachine.Shell(machine.Path + "/bare-rootfs", "find . -mindepth 1 | sort"));
    }

    [Fact]
    public void Commands_are_isolated_and_have_no_network_unless_it_is_given()
    {
        const string Text = "FROM localhost/base\nRUN ls /sys/class/net | tr '\\n' ' ' >/net; hostname >/name; ps | grep -c . >/processes; grep -c Seccomp:.2 /proc/self/status >/seccomp\n";
        Assert.Equal("lo ", BuildAndRun(Text, "cat /net"));
        Assert.Equal("1\n", machine.In("feature", "cat /seccomp"));
        Assert.Equal(BuildMachine.Shell("/", "ls /sys/class/net | tr '\\n' ' '"), BuildAndRun(Text, "cat /net", "", "--net=host"));
        Assert.Equal("lo ", BuildAndRun(Text.Replace("RUN", "RUN --network=none", StringComparison.Ordinal), "cat /net", "", "--net=host"));
    }

    [Fact]
    public void Targets_and_names()
    {
        var context = machine.Context();
        var build = machine.Build(context, "FROM localhost/base AS one\nRUN echo 1 >/n\nFROM one AS two\nRUN echo 2 >/n\n", "--target=one", "-t", "a", "-t", "group/b:v1", "-t", "registry.example:5000/c", "--iidfile", machine.Path + "/iid");
        Assert.True(build.ExitCode == 0, build.ToString());
        Assert.DoesNotContain("echo 2", build.Errors, StringComparison.Ordinal);
        var list = machine.Nacelle("image", "list", "--full").Output;
        Assert.Contains("localhost/a:latest", list, StringComparison.Ordinal);
        Assert.Contains("localhost/group/b:v1", list, StringComparison.Ordinal);
        Assert.Contains("registry.example:5000/c:latest", list, StringComparison.Ordinal);
        Assert.Equal(build.Output.Trim(), File.ReadAllText(machine.Path + "/iid").Replace(':', '-')[..39]);
        Assert.Equal("1\n", machine.In("group/b:v1", "cat /n"));
        Assert.Equal("1\n", machine.In("a", "cat /n"));
        Assert.Equal(0, machine.Build(context, "FROM localhost/base\n").ExitCode);
        Assert.Contains("localhost/untagged@sha256:", machine.Nacelle("image", "list", "--full").Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Triggers_of_a_base_image_are_done_and_gone()
    {
        Assert.Equal(0, machine.Build(machine.Context(), "FROM localhost/base\nONBUILD COPY for-trigger /got\nONBUILD RUN <<EOF\ncat /got >/triggered\nEOF\n", "-t", "trigger", "--format=docker").ExitCode);
        Assert.Equal("x\n", BuildAndRun("FROM trigger\nRUN test -e /triggered\n", "cat /triggered", "echo x >for-trigger", "--format=docker"));
        Assert.Equal(0, machine.Build(machine.Context(), "FROM feature\n", "--format=docker").ExitCode);
    }

    [Fact]
    public void Docker_s_form_is_one_that_skopeo_takes_for_docker_s()
    {
        Assert.Equal(0, machine.Build(machine.Context(), "FROM localhost/base\nHEALTHCHECK --interval=1m30s --retries=3 CMD true\nSHELL [\"/bin/ash\", \"-c\"]\nCMD x\n", "-t", "form", "--format=docker", "--iidfile", machine.Path + "/iid").ExitCode);
        var manifest = File.ReadAllText($"{machine.Data}/images/blobs/sha256/{File.ReadAllText(machine.Path + "/iid")[7..]}");
        Assert.Contains("application/vnd.docker.distribution.manifest.v2+json", manifest, StringComparison.Ordinal);
        Assert.Contains("application/vnd.docker.image.rootfs.diff.tar.gzip", manifest, StringComparison.Ordinal);
        var config = BuildMachine.Shell(machine.Path, "skopeo inspect --config --raw oci:data/images:localhost/form:latest");
        Assert.Contains("\"Healthcheck\":{\"Test\":[\"CMD-SHELL\",\"true\"],\"Interval\":90000000000,\"Retries\":3}", config, StringComparison.Ordinal);
        Assert.Contains("\"Cmd\":[\"/bin/ash\",\"-c\",\"x\"]", config, StringComparison.Ordinal);
    }

    [Fact]
    public void A_download_is_checked_against_its_checksum_and_then_not_fetched_again()
    {
        using var server = new TcpListener(IPAddress.Loopback, 0);
        server.Start();
        var content = Encoding.ASCII.GetBytes("downloaded\n");
        int requests = 0;
        _ = Task.Run(async () =>
        {
            while (true)
            {
                using var client = await server.AcceptTcpClientAsync();
                await using var stream = client.GetStream();
                await stream.ReadExactlyAsync(new byte[4]);
                Interlocked.Increment(ref requests);
                await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Length: {content.Length}\r\nConnection: close\r\n\r\n"));
                await stream.WriteAsync(content);
            }
        });
        var url = $"http://127.0.0.1:{((IPEndPoint)server.LocalEndpoint).Port}/dir/file.txt";
        var digest = $"sha256:{Convert.ToHexStringLower(SHA256.HashData(content))}";
        var text = $"FROM localhost/base\nADD --checksum={digest} {url} /got/\n";
        Assert.Equal("600 0:0\ndownloaded\n", BuildAndRun(text, "stat -c '%a %u:%g' /got/file.txt; cat /got/file.txt"));
        Assert.Equal(1, requests);
        Assert.Equal("downloaded\n", BuildAndRun(text, "cat /got/file.txt"));
        Assert.Equal(1, requests);

        var wrong = machine.Build(machine.Context(), text.Replace(digest, "sha256:" + new string('0', 64), StringComparison.Ordinal), "-t", "wrong");
        Assert.Equal(254, wrong.ExitCode);
        Assert.Contains($"the content is {digest}, and sha256:{new string('0', 64)} was expected", wrong.Errors, StringComparison.Ordinal);
        var plain = machine.Build(machine.Context(), $"FROM localhost/base\nADD {url} /got/\n");
        Assert.Equal(254, plain.ExitCode);
        Assert.Contains("comes without protection", plain.Errors, StringComparison.Ordinal);
        machine.RequireNothingLeft();
    }

    [Fact]
    public void Layers_can_be_zstd_and_other_tools_read_them()
    {
        BuildAndRun("FROM localhost/base\nRUN echo x >/x\n", "true", "", "--compression=zstd");
        BuildMachine.Shell(machine.Path, "skopeo copy -q oci:data/images:localhost/feature:latest dir:copied");
        Assert.Contains("tar+zstd", File.ReadAllText(machine.Path + "/copied/manifest.json"), StringComparison.Ordinal);
    }

    [Fact]
    public void Args_that_nobody_asks_for_are_told_and_proxies_reach_commands_without_being_kept()
    {
        var build = machine.Build(machine.Context(), "FROM localhost/base\nARG TARGETARCH\nRUN echo $http_proxy $TARGETARCH >/proxy\n", "-t", "proxy", "--build-arg=http_proxy=http://p", "--build-arg=NOBODY=1");
        Assert.Contains("warning: no ARG asks for --build-arg NOBODY", build.Errors, StringComparison.Ordinal);
        Assert.StartsWith("http://p ", machine.In("proxy", "cat /proxy"), StringComparison.Ordinal);
        Assert.DoesNotContain("http://p", BuildMachine.Shell(machine.Path, "skopeo inspect --config --raw oci:data/images:localhost/proxy:latest"), StringComparison.Ordinal);
    }

    [Fact]
    public void The_same_layer_twice_in_an_image_is_no_obstacle() => Assert.Equal(
        "x\n", BuildAndRun("FROM localhost/base\nCOPY x /same\nCOPY x /same\nRUN cat /same >/again\n", "cat /again", "echo x >x"));

    public void Dispose() => machine.Dispose();
}

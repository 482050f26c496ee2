namespace Nacelle.Build.Tests;

/// <summary>Contexts, images and archives that want out, or in the way.</summary>
public sealed class HostileContextTests : IDisposable
{
    readonly BuildMachine machine = new();

    [Theory]
    [InlineData("ln -s /etc/shadow link", "COPY link /x", "'link' is not in the context")]
    [InlineData("ln -s ../../../../../../etc link", "COPY link/shadow /x", "'link/shadow' is not in the context")]
    [InlineData("ln -s /proc/self/root link", "COPY link/etc/shadow /x", "'link/etc/shadow' is not in the context")]
    [InlineData("", "COPY ../the-secret /x", "'../the-secret' lies outside the context")]
    [InlineData("", "COPY a/../../x /x", "'a/../../x' lies outside the context")]
    [InlineData("", "COPY missing /x", "'missing' is not in the context")]
    [InlineData("", "COPY *.none /x/", "'*.none' is not in the context")]
    [InlineData("touch a", "COPY [a /x", "'[a': '[a' lacks a ']'")]
    [InlineData("mknod d b 8 0", "COPY . /x", "'d' in the context is a device: only files, directories, links and pipes are copied from there")]
    [InlineData("mknod d c 1 5", "COPY d /x", "'d' in the context is neither a file nor a directory")]
    [InlineData("mkfifo p", "COPY p /x", "'p' in the context is neither a file nor a directory")]
    [InlineData("ln -s b a; ln -s a b", "COPY a /x", "'a' in the context cannot be opened: its links go in a circle")]
    [InlineData("touch .wh.x", "COPY . /x", "layer entry 'x/.wh.x' has a name by which layers say that something is removed, so no layer can have it")]
    [InlineData("touch a", "COPY a /etc/passwd/x", "/etc/passwd lies below what is no directory")]
    [InlineData("mkdir -p t/etc/passwd", "COPY t /", "/etc/passwd lies below what is no directory")]
    [InlineData("touch etc", "COPY etc /", "/etc is a directory, and a file shall be there")]
    [InlineData("touch a", "COPY --chown=nobody-here a /", "--chown=nobody-here: the image has no user 'nobody-here' in /etc/passwd")]
    [InlineData("touch a", "COPY --chmod=u+y a /", "--chmod=u+y: write an octal number, as in 0755, or changes as in u=rwX,go=rX")]
    [InlineData("touch a", "COPY --from=9 a /", "it could not be fetched")]
    [InlineData("mkdir t; mknod t/d c 0 0; tar -cf a.tar -C t d", "ADD a.tar /", "the archive 'a.tar': layer entry 'd' is a character device 0/0, which overlayfs would take for a whiteout")]
    public void A_copy_that_wants_out_or_cannot_be_is_refused_in_one_line(string setUp, string line, string message)
    {
        var context = machine.Context(setUp);
        BuildMachine.Shell(machine.Path, "echo outside >the-secret");
        var build = machine.Build(context, $"FROM localhost/base\n{line}\n", "-t", "refused", "--insecure-options=http");
        Assert.Equal(254, build.ExitCode);
        var last = build.Errors.TrimEnd().Split('\n')[^1];
        Assert.StartsWith($"nacelle: {context}/Containerfile:2: ", last, StringComparison.Ordinal);
        Assert.EndsWith(message, last, StringComparison.Ordinal);
        Assert.DoesNotContain("refused", machine.Nacelle("image", "list").Output, StringComparison.Ordinal);
        machine.RequireNothingLeft();
    }

    [Fact]
    public void Links_of_the_image_lead_where_they_would_inside()
    {
        var outside = machine.Path + "/outside";
        Directory.CreateDirectory(outside);
        var context = machine.Context("echo new >a; mkdir -p t/evil; echo x >t/evil/file");
        var build = machine.Build(
            context,
            $"FROM localhost/base\nRUN mkdir -p {outside}/inside && ln -s {outside} /evil && ln -s ../../../../../../../../..{outside} /climb && ln -s {outside}/target /file\nCOPY a /evil/\nCOPY t /\nCOPY a /climb/b\nCOPY a /file\nWORKDIR /evil/deeper\n",
            "-t", "links");
        Assert.True(build.ExitCode == 0, build.ToString());
        Assert.Empty(Directory.GetFileSystemEntries(outside));
        Assert.Equal($"a\nb\ndeeper\nfile\ninside\nnew\n", machine.In("links", $"ls {outside}; cat /file"));
    }

    [Fact]
    public void A_pipe_below_a_directory_is_copied_and_never_opened()
    {
        var context = machine.Context("mkdir t; mkfifo t/pipe; echo x >t/x");
        Assert.Equal(0, machine.Build(context, "FROM localhost/base\nCOPY t /t\n", "-t", "pipe").ExitCode);
        Assert.Equal("fifo\n", machine.In("pipe", "stat -c %F /t/pipe"));
    }

    [Fact]
    public void A_socket_is_passed_over()
    {
        var context = machine.Context("mkdir t; echo x >t/x");
        using var socket = new System.Net.Sockets.Socket(System.Net.Sockets.AddressFamily.Unix, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Unspecified);
        socket.Bind(new System.Net.Sockets.UnixDomainSocketEndPoint(context + "/t/socket"));
        Assert.Equal(0, machine.Build(context, "FROM localhost/base\nCOPY t /t\n", "-t", "socket").ExitCode);
        Assert.Equal("x\n", machine.In("socket", "ls /t"));
    }

    [Theory]
    [InlineData("FROM localhost/base\nRUN exit 7\n", "Containerfile:2: RUN: the command ended with exit code 7")]
    [InlineData("FROM localhost/base\nRUN [\"/no/such/program\"]\n", "Containerfile:2: RUN: the command could not be started")]
    [InlineData("FROM localhost/base\nUSER ghost\nRUN true\n", "Containerfile:3: RUN: the image has no user 'ghost' in /etc/passwd")]
    [InlineData("FROM localhost/base\nRUN --network=host true\n", "Containerfile:2: RUN: --network=host: the build has no network of the host's; allow it with --net=host")]
    [InlineData("FROM localhost/base\nRUN --mount=type=ssh,required true\n", "Containerfile:2: RUN: the ssh agent 'default' is required: give it with --ssh=default")]
    [InlineData("FROM localhost/base\nENV A=${B:?needed}\n", "Containerfile:2: ENV wants B: needed")]
    [InlineData("FROM localhost/base\nSTOPSIGNAL SIGNOT\n", "Containerfile:2: STOPSIGNAL: 'SIGNOT' is no signal: write a name as SIGTERM, or a number")]
    [InlineData("FROM localhost/base\nEXPOSE 70000\n", "Containerfile:2: EXPOSE: '70000' is no port: write 80, 80/udp or 8000-8010/tcp")]
    [InlineData("FROM --platform=linux/s390x localhost/base\n", "Containerfile:1: FROM: --platform=linux/s390x: commands can only be run for linux/amd64 here")]
    [InlineData("FROM localhost/base\nHEALTHCHECK --interval=soon CMD x\n", "Containerfile:2: HEALTHCHECK: --interval=soon: write a duration, as in 30s or 1m30s")]
    [InlineData("FROM localhost/base\nADD https://localhost/x.git /\n", "Containerfile:2: ADD: https://localhost/x.git: git ls-remote fails")]
    public void What_fails_is_told_with_its_line_and_leaves_nothing(string text, string message)
    {
        var build = machine.Build(machine.Context(), text);
        Assert.Equal(254, build.ExitCode);
        Assert.EndsWith(message, build.Errors.TrimEnd(), StringComparison.Ordinal);
        machine.RequireNothingLeft();
    }

    public void Dispose() => machine.Dispose();
}

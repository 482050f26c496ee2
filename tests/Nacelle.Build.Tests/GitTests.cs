using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Nacelle.Build.Tests;

/// <summary>ADD of repositories, from git's own server on loopback.</summary>
public sealed class GitTests : IDisposable
{
    const string Http = "--insecure-options=http";

    readonly BuildMachine machine = new();
    readonly Process server;
    readonly int port;

    public GitTests()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/git") && File.Exists("/usr/lib/git-core/git-daemon"), "git is not installed");
        using (var free = new TcpListener(IPAddress.Loopback, 0))
        {
            free.Start();
            port = ((IPEndPoint)free.LocalEndpoint).Port;
        }

        Git("""
            mkdir -p repositories; git init -q -b main repositories/it.git; cd repositories/it.git
            mkdir -p sub/deeper; echo one >file; echo two >sub/two; echo '#!/bin/sh' >sub/deeper/run; chmod 755 sub/deeper/run; ln -s file link; chmod 600 file
            git add -A; git commit -qm first; git tag v1; git tag -am annotated signed
            git checkout -qb feature/x; echo feature >file; git commit -qam second; git checkout -q main; echo three >file; git commit -qam third
            """);
        server = Process.Start(BuildMachine.Prepare("/usr/lib/git-core/git-daemon", ["--export-all", "--reuseaddr", "--listen=127.0.0.1", $"--port={port}", $"--base-path={machine.Path}/repositories"]))!;
        for (int i = 0; i < 500; i++)
        {
            using var probe = new TcpClient();
            try
            {
                probe.Connect(IPAddress.Loopback, port);
                return;
            }
            catch (SocketException)
            {
                Thread.Sleep(20);
            }
        }

        Assert.Fail("git-daemon does not come up");
    }

    string Url => $"git://127.0.0.1:{port}/it.git";

    string Git(string script) => BuildMachine.Shell(machine.Path, $"export HOME={machine.Path} GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b\n{script}");

    string Commit(string name) => Git($"git -C repositories/it.git rev-parse '{name}^{{commit}}'").Trim();

    Result Build(string add, params string[] flags) => machine.Build(machine.Context(), $"FROM localhost/base\n{add}\n", ["-t", "git", .. flags]);

    void Builds(string add, string script, string expected, params string[] flags)
    {
        var build = Build(add, flags);
        Assert.True(build.ExitCode == 0, build.ToString());
        machine.RequireNothingLeft();
        Assert.Equal(expected, machine.In("git", script));
    }

    [Fact]
    public void A_repository_s_files_are_copied_without_its_history() => Builds(
        $"ADD {Url} /src", "cd /src; find . -mindepth 1 | sort; cat file; stat -c '%a %u:%g' file sub/deeper/run sub",
        "./file\n./link\n./sub\n./sub/deeper\n./sub/deeper/run\n./sub/two\nthree\n644 0:0\n755 0:0\n755 0:0\n", Http);

    [Theory]
    [InlineData("#v1", "one\n")]
    [InlineData("#signed", "one\n")]
    [InlineData("#main", "three\n")]
    [InlineData("#feature/x", "feature\n")]
    [InlineData("#refs/heads/feature/x", "feature\n")]
    public void A_branch_or_a_tag_is_chosen(string fragment, string content) => Builds($"ADD {Url}{fragment} /src/", "cat /src/file", content, Http);

    [Fact]
    public void A_directory_of_a_commit_is_chosen_and_needs_no_other_protection()
    {
        Builds($"ADD {Url}#{Commit("v1")}:sub /src", "cd /src; find . -mindepth 1 | sort; cat two", "./deeper\n./deeper/run\n./two\ntwo\n");
        server.Kill();
        server.WaitForExit();
        var again = Build($"ADD {Url}#{Commit("v1")}:sub /src");
        Assert.True(again.ExitCode == 0 && again.Errors.Contains("--> cached", StringComparison.Ordinal), again.ToString());
    }

    [Fact]
    public void A_branch_that_moves_is_copied_anew_and_else_not()
    {
        Builds($"ADD {Url}#main /src", "cat /src/file", "three\n", Http);
        Assert.Contains("--> cached", Build($"ADD {Url}#main /src", Http).Errors, StringComparison.Ordinal);
        Git("cd repositories/it.git; echo four >file; git commit -qam fourth");
        Builds($"ADD {Url}#main /src", "cat /src/file", "four\n", Http);
    }

    [Fact]
    public void The_flags_of_ADD_hold()
    {
        Builds($"ADD --keep-git-dir=true --chown=app --exclude=sub {Url}#v1 /src", "cd /src; ls -A; stat -c %u file; test ! -e sub; cat .git/HEAD", $".git\nfile\nlink\n1000\n{Commit("v1")}\n", Http);
        Builds($"ADD --chmod=go= --checksum={Commit("v1")[..10]} {Url}#v1 /src", "cd /src; stat -c %a file sub/deeper/run sub", "600\n700\n700\n", Http);
    }

    [Fact]
    public void Repositories_within_are_fetched_too()
    {
        Git($"""
            git init -q -b main repositories/outer.git; cd repositories/outer.git
            git -c protocol.file.allow=always submodule --quiet add {Url} inner; git commit -qm outer
            """);
        Builds($"ADD {Url.Replace("it.git", "outer.git", StringComparison.Ordinal)} /src", "cd /src; ls -A . inner; cat inner/file", ".:\n.gitmodules\ninner\n\ninner:\nfile\nlink\nsub\nthree\n", Http);
    }

    [Theory]
    [InlineData("ADD URL#nowhere /src", "Containerfile:2: ADD: URL has no nowhere", Http)]
    [InlineData("ADD URL#v1:nowhere /src", "Containerfile:2: ADD: 'nowhere' is not in URL at COMMIT, or is ignored there", Http)]
    [InlineData("ADD URL /src", "Containerfile:2: ADD: URL comes without protection: name the whole commit behind #, or allow it by --insecure-options=http")]
    [InlineData("ADD URL#--upload-pack=x /src", "Containerfile:2: ADD: URL#--upload-pack=x: '--upload-pack=x' is neither a branch nor a tag nor a commit", Http)]
    [InlineData("ADD --checksum=0000000 URL#v1 /src", "Containerfile:2: ADD: URL: the commit is COMMIT, and 0000000 was expected", Http)]
    public void What_cannot_be_had_is_told(string add, string line, params string[] flags)
    {
        string Fill(string text) => text.Replace("URL", Url, StringComparison.Ordinal).Replace("COMMIT", Commit("v1"), StringComparison.Ordinal);
        var build = Build(Fill(add), flags);
        Assert.Equal(254, build.ExitCode);
        Assert.EndsWith(Fill(line), build.Errors.TrimEnd(), StringComparison.Ordinal);
        machine.RequireNothingLeft();
    }

    [Theory]
    [InlineData("https://h.example/a/it.git", "https://h.example/a/it.git", null, "")]
    [InlineData("https://h.example/it.git#v1", "https://h.example/it.git", "v1", "")]
    [InlineData("https://h.example/it.git#:sub", "https://h.example/it.git", null, "sub")]
    [InlineData("git@h.example:a/it.git#v1:sub/er/", "git@h.example:a/it.git", "v1", "sub/er")]
    [InlineData("ssh://git@h.example/it", "ssh://git@h.example/it", null, "")]
    [InlineData("https://h.example/it.tar.gz", null, null, null)]
    [InlineData("it.git", null, null, null)]
    [InlineData("ext::sh -c x", null, null, null)]
    public void An_address_is_read(string text, string? repository, string? reference, string? directory) =>
        Assert.Equal(repository is null ? null : new GitAddress(repository, reference, directory!), GitAddress.TryParse(text));

    public void Dispose()
    {
        // It serves each request by a child of its own.
        if (!server.HasExited)
        {
            BuildMachine.Run("/bin/kill", [server.Id.ToString(CultureInfo.InvariantCulture)]);
            server.WaitForExit();
        }

        server.Dispose();
        machine.Dispose();
    }
}

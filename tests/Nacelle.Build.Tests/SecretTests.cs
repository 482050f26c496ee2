namespace Nacelle.Build.Tests;

public sealed class SecretTests : IDisposable
{
    readonly BuildMachine machine = new();

    [Fact]
    public void A_secret_reaches_the_command_and_nothing_else()
    {
        var secret = $"s3cr3t-{Guid.NewGuid():n}";
        var context = machine.Context($"printf %s {secret} >../the-secret");
        var build = machine.Build(
            context,
            """
            FROM localhost/base
            RUN --mount=type=secret,id=token [ "$(wc -c </run/secrets/token)" -eq 39 ] && stat -c '%a %u' /run/secrets/token >/tmp/mode
            RUN --mount=type=secret,id=token,target=/etc/deep/er/token,mode=0440,uid=1000 stat -c '%a %u' /etc/deep/er/token >>/tmp/mode
            RUN --mount=type=secret,id=token,env=TOKEN [ ${#TOKEN} -eq 39 ]
            RUN --mount=type=secret,id=other [ ! -e /run/secrets/other ]
            USER app
            RUN --mount=type=secret,id=token,uid=1000 cat /run/secrets/token >/dev/null
            """,
            "-t", "secret", $"--secret=id=token,src={machine.Path}/the-secret");
        Assert.True(build.ExitCode == 0, build.ToString());
        Assert.Equal("400 0\n440 1000\n0\n", machine.In("secret", "cat /tmp/mode; ls -d /run/secrets /etc/deep 2>/dev/null | wc -l"));
        Assert.Equal("", BuildMachine.Shell(machine.Path, $"grep -rl {secret} data || :"));
        Assert.Equal("", BuildMachine.Shell(machine.Path, $"for blob in data/images/blobs/sha256/*; do gzip -dc $blob 2>/dev/null | grep -a {secret} || :; done"));
        Assert.DoesNotContain(secret, build.Errors, StringComparison.Ordinal);

        // Another secret is no reason to do a step again: what it holds must not matter.
        File.WriteAllText(machine.Path + "/the-secret", new string('x', 39));
        Assert.Equal(5, machine.Nacelle("build", $"--secret=id=token,src={machine.Path}/the-secret", context).Errors.Split("--> cached").Length - 1);
        machine.RequireNothingLeft();
    }

    [Theory]
    [InlineData("RUN --mount=type=secret,id=gone,required=true true", "", "Containerfile:2: RUN: the secret 'gone' is required: give it with --secret=id=gone,src=FILE")]
    [InlineData("RUN --mount=type=secret,id=x true", "--secret=id=x,src=/nowhere", "Containerfile:2: RUN: the secret's file /nowhere cannot be read: ENOENT")]
    [InlineData("RUN --mount=type=secret true", "", "Containerfile:2: RUN: --mount=type=secret: the id is missing")]
    [InlineData("RUN true", "--secret=src=x", "--secret=src=x: the id is missing")]
    public void A_secret_that_cannot_be_had_is_told(string line, string flag, string message)
    {
        var build = machine.Build(machine.Context(), $"FROM localhost/base\n{line}\n", flag.Length > 0 ? [flag] : []);
        Assert.Equal(254, build.ExitCode);
        Assert.EndsWith(message, build.Errors.TrimEnd(), StringComparison.Ordinal);
        machine.RequireNothingLeft();
    }

    public void Dispose() => machine.Dispose();
}

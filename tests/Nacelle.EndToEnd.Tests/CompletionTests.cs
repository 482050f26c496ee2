namespace Nacelle.EndToEnd.Tests;

/// <summary>bash, zsh and fish with the scripts of <c>completion</c>, completing lines.</summary>
public sealed class CompletionTests : IDisposable
{
    readonly Machine machine = new();

    public CompletionTests()
    {
        Directory.CreateDirectory($"{machine.Path}/files/folder");
        File.WriteAllText($"{machine.Path}/files/file one", "");
        Directory.CreateDirectory($"{machine.Path}/bin");
        File.CreateSymbolicLink($"{machine.Path}/bin/nacelle", Machine.Program);
    }

    public void Dispose() => machine.Dispose();

    string Flags => string.Join(' ', machine.Flags);

    /// <summary>Runs a shell's script with nacelle in its path.</summary>
    string Shell(string shell, string script)
    {
        Machine.Require($"/usr/bin/{shell}");
        File.WriteAllText($"{machine.Path}/script", script);
        var result = Machine.Run("/usr/bin/env", $"PATH={machine.Path}/bin:/usr/bin:/bin", $"HOME={machine.Path}", "timeout", "60", shell, $"{machine.Path}/script");
        Assert.True(result.ExitCode == 0, result.ToString());
        return result.Output;
    }

    /// <returns>What bash offers, without what stands on the line already.</returns>
    string[] Bash(string line) => Shell("bash", $"""
        eval "$(nacelle completion bash)"
        complete -p nacelle >/dev/null
        COMP_LINE='{line}' COMP_POINT={line.Length}
        _nacelle 2>/dev/null
        printf '%s\n' "${"{COMPREPLY[@]}"}"
        """).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    string[] Fish(string line) =>
        Shell("fish", $"nacelle completion fish | source\ncomplete -C '{line}'\n").Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Types a beginning and a tabulator into a zsh at a terminal, and fails unless it then shows this.</summary>
    void Zsh(string line, string shown) => Shell("zsh", $"""
        zmodload zsh/zpty
        zpty shell zsh -f -i
        zpty -w shell "PS1=; unsetopt zle_bracketed_paste; autoload -Uz compinit; compinit -u -D; source <(nacelle completion zsh); print READY''NOW"
        zpty -r -m shell seen '*READYNOW*'
        zpty -w -n shell '{line}'$'\t'
        zpty -r -m shell seen '*{shown}*'
        zpty -d shell
        """);

    [Fact]
    public void Bash_completes_commands_flags_values_and_files()
    {
        Assert.Equal(["completion", "config"], Bash("nacelle co"));
        Assert.Equal(["image"], Bash("nacelle im"));
        Assert.Equal(["render", "rm"], Bash("nacelle image r").Order(StringComparer.Ordinal));
        Assert.Equal(["--ipc="], Bash("nacelle run --ip"));
        Assert.Equal(["auto", "private", "parent"], Bash("nacelle run --ipc="));
        Assert.Equal(["auto"], Bash("nacelle run --ipc=a"));
        Assert.Equal(["new", "never"], Bash("nacelle run --pull-policy n"));
        Assert.Equal(["image,http"], Bash("nacelle --insecure-options=image,ht"));
        Assert.Equal([$"{machine.Path}/files/file one", $"{machine.Path}/files/folder"], Bash($"nacelle run --set-env-file={machine.Path}/files/").Order(StringComparer.Ordinal));
        Assert.Equal([$"{machine.Path}/files/folder"], Bash($"nacelle build {machine.Path}/files/f"));
    }

    [Fact]
    public void Commands_of_other_executables_are_completed_by_them()
    {
        Assert.Equal(["--pull-policy=", "--platform="], Bash("nacelle fetch --p"));
        Assert.Equal(["--platform=", "--passphrase"], (string[])[.. Bash("nacelle build --pl"), .. Bash("nacelle image sign --passp").Select(flag => flag[..12])]);
        Assert.Equal(["gzip", "zstd"], Bash("nacelle image push --compression="));
    }

    [Fact]
    public void Pods_apps_and_images_are_completed_by_what_there_is()
    {
        var uuid = machine.Nacelle("prepare", "--quiet", TestImages.Busybox, "--name=one", "--", "true", "---", TestImages.Busybox, "--name=two", "--", "true").Output.Trim();
        Assert.Equal([uuid], Bash($"nacelle {Flags} run-prepared {uuid[..3]}"));
        Assert.Empty(Bash($"nacelle {Flags} enter "));
        Assert.Equal(["one", "two"], Bash($"nacelle {Flags} enter {uuid} --app="));
        var image = TestImages.Busybox; // with colons, at which bash ends words
        Assert.Equal([image[(image.LastIndexOf(':') + 1)..]], Bash($"nacelle {Flags} run {image[..^3]}"));
        Assert.Equal([$"{image}\t"], Fish($"nacelle {Flags} image rm {image[..^3]}").Select(line => line[..(line.IndexOf('\t') + 1)]));
        Assert.Equal([$"{uuid}\tprepared: one, two"], Fish($"nacelle {Flags} rm {uuid[..2]}"));
    }

    [Fact]
    public void Fish_completes_commands_flags_values_and_files()
    {
        Assert.Equal(["completion\tprint a script by which a shell completes commands", "config\tprint the configuration, passwords included"], Fish("nacelle co"));
        Assert.Equal(["--ipc=auto", "--ipc=parent", "--ipc=private"], Fish("nacelle run --ipc="));
        Assert.Equal(["new", "never"], Fish("nacelle run --pull-policy n").Order(StringComparer.Ordinal).Reverse());
        Assert.Equal([$"--set-env-file={machine.Path}/files/file one"], Fish($"nacelle run --set-env-file={machine.Path}/files/fi"));
        Assert.StartsWith($"{machine.Path}/files/folder/", Assert.Single(Fish($"nacelle build {machine.Path}/files/f")), StringComparison.Ordinal);
    }

    [Fact]
    public void Zsh_completes_commands_flags_values_and_files()
    {
        Zsh("nacelle co", "completion  -- print a script*config  -- print the configuration");
        Zsh("nacelle image re", "nder");
        Zsh("nacelle run --ipc=", "--ipc=auto*--ipc=parent*--ipc=private");
        Zsh("nacelle run --ipc=a", "uto");
        Zsh($"nacelle run --set-env-file={machine.Path}/files/fi", @"le\\ one");
        Zsh($"nacelle build {machine.Path}/files/f", "older*/");
    }

    [Fact]
    public void Another_shell_is_refused()
    {
        var result = machine.Nacelle("completion", "tcsh");
        Assert.Equal((254, "nacelle: completion: name a shell, bash, zsh or fish\n"), (result.ExitCode, result.Errors));
    }
}

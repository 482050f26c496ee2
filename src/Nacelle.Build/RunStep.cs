using Nacelle.Images;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Build;

/// <summary>RUN: a command in a pod on the stage's layers; what it changes becomes a layer.</summary>
sealed class RunStep(BuildSession session, StageState stage, int stageIndex)
{
    const string ScriptPath = "/run/nacelle-build/script";

    public void Do(RunInstruction run, Expansion expansion)
    {
        var mounts = run.Mounts.Select(text => MountFlag.Parse(expansion.Word(text), stage.WorkingDirectory)).ToList();
        var network = run.Network is null or "default" ? session.Options.Network
            : run.Network == "none" || session.Options.Network == "host" ? run.Network
            : throw new BuildException("--network=host: the build has no network of the host's; allow it with --net=host");
        var (arguments, script) = Arguments(run);
        using var parts = session.Key("run", stage);
        parts.Add(arguments).Add(script).Add(stage.CommandEnvironment()).Add(stage.Config.User).Add(stage.WorkingDirectory).Add(network);
        AddMounts(parts, mounts);
        var key = parts.Finish();
        var step = session.Find(key);
        session.SayIfCached(step);
        if (step is null)
        {
            var command = new StepCommand(arguments, [.. stage.CommandEnvironment(), .. session.Variables.ProxyEnvironment(stage)], stage.Config.User, stage.WorkingDirectory, network);
            step = Run(command, mounts, script, key);
        }

        var visible = stage.VisibleArguments().ToList();
        var text = $"{string.Join(' ', stage.Shell)} {run.Written}";
        text += string.Concat(run.Heredocs.Select(heredoc => "\n" + heredoc.Raw.TrimEnd('\n')));
        stage.Add(visible.Count == 0 ? text : $"|{visible.Count} {string.Join(' ', visible)} {text}", step);
    }

    /// <summary>What is executed; a heredoc that names its own interpreter is a file, the program.</summary>
    (IReadOnlyList<string> Arguments, string? Script) Arguments(RunInstruction run)
    {
        if (!run.Command.IsShell)
        {
            return (run.Command.Words, null);
        }

        var text = run.Command.Words[0];
        if (run.Heredocs is [var only] && Words.IsHeredoc(text, session.File.Escape) && !text.AsSpan().ContainsAny(" \t"))
        {
            return only.Content.StartsWith("#!", StringComparison.Ordinal) ? ([ScriptPath], only.Content) : ([.. stage.Shell, only.Content], null);
        }

        return ([.. stage.Shell, run.Heredocs.Count == 0 ? text : $"{text}\n{string.Concat(run.Heredocs.Select(heredoc => heredoc.Raw))}"], null);
    }

    void AddMounts(StepKey parts, List<MountFlag> mounts)
    {
        foreach (var mount in mounts)
        {
            parts.Add(mount.KeyParts());
            if (mount.From is not null)
            {
                parts.Add(session.StageOf(mount.From, stageIndex).DiffIds.Select(diffId => diffId.ToString()));
            }
            else if (mount.Type == "bind")
            {
                var hash = new TreeHash(parts, session.Context, new CopyRules(null, null, IgnorePatterns.None), session.Cancellation);
                session.Context.Find(mount.Source is { Length: > 0 } source ? source : ".").ForEach(hash.Add);
            }
        }
    }

    CachedStep Run(StepCommand command, List<MountFlag> flags, string? script, Digest key)
    {
        CachedStep? step = null;
        using var mounts = new RunMounts(session, stageIndex);
        foreach (var flag in flags)
        {
            mounts.Add(flag, session.Cancellation);
        }

        if (script is not null)
        {
            mounts.AddFile(script, ScriptPath, 0x1ED);
        }

        new StepPod(session.Pods, session.Store, session.Host).Run(
            stage, command, mounts,
            changes =>
            {
                using (var upper = Files.Open(changes, "upper", OpenFlags.ReadOnly | OpenFlags.Directory))
                {
                    session.Read(stage, lower =>
                    {
                        new RunTraces(upper, lower).Remove(mounts.Mounts.Select(mount => mount.Path));
                        return 0;
                    });
                }

                step = session.Commit(stage, key, changes);
            },
            session.Cancellation);
        return step!;
    }
}

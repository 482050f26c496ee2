namespace Nacelle.Build;

/// <summary>Finds the stages that one stage is made from: by FROM, by <c>--from</c>, by mounts.</summary>
static class NeededStages
{
    /// <returns>In the order in which they are built; the target is the last.</returns>
    public static IReadOnlyList<Stage> Of(Containerfile file, Stage target, Variables variables)
    {
        var needed = new SortedSet<int>();
        var open = new Stack<Stage>([target]);
        while (open.TryPop(out var stage))
        {
            if (!needed.Add(stage.Index))
            {
                continue;
            }

            foreach (var name in NamesIn(stage, file, variables))
            {
                if (file.FindStage(name, stage.Index) is { } other)
                {
                    open.Push(other);
                }
            }
        }

        return [.. needed.Select(index => file.Stages[index])];
    }

    static IEnumerable<string> NamesIn(Stage stage, Containerfile file, Variables variables)
    {
        yield return Expand(stage.From.Image, file, variables);
        foreach (var instruction in stage.Instructions)
        {
            if (instruction is CopyInstruction { Flags.From: { } from })
            {
                yield return Expand(from, file, variables);
            }
            else if (instruction is RunInstruction run)
            {
                foreach (var part in run.Mounts.SelectMany(mount => mount.Split(',')).Where(part => part.StartsWith("from=", StringComparison.Ordinal)))
                {
                    yield return Expand(part[5..], file, variables);
                }
            }
        }
    }

    /// <summary>What cannot be expanded is told when its instruction's turn comes.</summary>
    static string Expand(string text, Containerfile file, Variables variables)
    {
        try
        {
            return new Expansion(variables.Global, file.Escape).Word(text);
        }
        catch (ExpansionException)
        {
            return text;
        }
    }
}

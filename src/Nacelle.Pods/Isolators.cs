using System.Text.Json;
using Nacelle.Specs;

namespace Nacelle.Pods;

/// <summary>What the lists of isolators of apps and of pods have in common.</summary>
static class Isolators
{
    /// <summary>Has each isolator taken, once.</summary>
    /// <param name="path">Of the list, for messages.</param>
    /// <param name="take">Says whether it can be enforced; it is told the place of the isolator's value.</param>
    /// <exception cref="SpecException">One is given twice, is not of its shape, or cannot be enforced.</exception>
    public static void ForEach(IReadOnlyList<Isolator> isolators, string path, Func<Isolator, string, bool> take)
    {
        var kinds = new HashSet<string>(StringComparer.Ordinal);
        for (int i = 0; i < isolators.Count; i++)
        {
            var isolator = isolators[i];
            var at = $"{path}[{i}].value";
            if (!kinds.Add(KindOf(isolator.Name)))
            {
                throw new SpecException($"{path}[{i}]", $"{isolator.Name} is said again, or excludes one before it");
            }

            try
            {
                if (!take(isolator, at))
                {
                    throw new SpecException(at, $"the isolator {isolator.Name} cannot be enforced here; remove it to run without it");
                }
            }
            catch (Exception problem) when (problem is InvalidOperationException or KeyNotFoundException or FormatException)
            {
                throw new SpecException(at, $"is not what the isolator {isolator.Name} takes: {isolator.Value.GetRawText()}");
            }
        }
    }

    /// <summary>Isolators that exclude each other are of one kind.</summary>
    static string KindOf(string name) =>
        name.EndsWith("-retain-set", StringComparison.Ordinal) ? name[..^"-retain-set".Length]
        : name.EndsWith("-remove-set", StringComparison.Ordinal) ? name[..^"-remove-set".Length]
        : name;

    /// <summary>The value of os/linux/selinux-context, which apps and pods may have.</summary>
    public static string SelinuxLabelOf(JsonElement value)
    {
        string Part(string name) => value.GetProperty(name).GetString() is { Length: > 0 } part ? part : throw new FormatException();
        return $"{Part("user")}:{Part("role")}:{Part("type")}:{Part("level")}";
    }
}

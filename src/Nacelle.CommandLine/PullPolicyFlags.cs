namespace Nacelle.CommandLine;

/// <summary>When the source of an image is asked: --pull-policy, and the two flags that rkt had before it.</summary>
public static class PullPolicyFlags
{
    static readonly Option StoreOnly = new("store-only", null, "the same as --pull-policy=never") { IsHidden = true };
    static readonly Option NoStore = new("no-store", null, "the same as --pull-policy=update") { IsHidden = true };

    public static readonly IReadOnlyList<Option> Older = [StoreOnly, NoStore];

    /// <param name="policy">The command's flag.</param>
    /// <param name="otherwise">Without any.</param>
    /// <returns><c>new</c>, <c>update</c> or <c>never</c>.</returns>
    /// <exception cref="UserException">Another word, or two that contradict each other.</exception>
    public static string Of(Invocation invocation, Option policy, string otherwise)
    {
        List<(string Flag, string Policy)> said =
        [
            .. invocation.Is(StoreOnly) ? [("--store-only", "never")] : (ReadOnlySpan<(string, string)>)[],
            .. invocation.Is(NoStore) ? [("--no-store", "update")] : (ReadOnlySpan<(string, string)>)[],
            .. invocation.Value(policy) is { } value ? [($"--{policy.Name}={value}", value)] : (ReadOnlySpan<(string, string)>)[],
        ];
        return said.FirstOrDefault(one => one.Policy is not ("new" or "update" or "never")) is { Flag: { } unknown } ? throw new UserException($"{unknown}: use new, update or never")
            : said.Count > 1 ? throw new UserException($"{said[0].Flag} and {said[1].Flag} exclude each other")
            : said.Count == 1 ? said[0].Policy : otherwise;
    }
}

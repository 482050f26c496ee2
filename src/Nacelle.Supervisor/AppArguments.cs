using Nacelle.Linux;

namespace Nacelle.Supervisor;

/// <summary>What the entry points that are about one app of a pod that runs are told. See rkt's stage1 implementor's guide, "app" and "attach".</summary>
/// <param name="App">Its name.</param>
/// <param name="Uuid">Of the pod.</param>
sealed record AppArguments(string App, string Uuid)
{
    public static AppArguments Parse(string verb, string[] arguments) =>
        new(Value(arguments, "--app") ?? throw new Stage1Exception($"stage1's {verb} takes --app=NAME"), UuidOf(arguments));

    public static string? Value(IEnumerable<string> arguments, string flag) =>
        arguments.LastOrDefault(argument => argument.StartsWith(flag + "=", StringComparison.Ordinal))?[(flag.Length + 1)..];

    /// <summary>As given; or else the name of the pod's directory.</summary>
    static string UuidOf(string[] arguments) => Value(arguments, "--uuid") ?? Environment.CurrentDirectory[(Environment.CurrentDirectory.LastIndexOf('/') + 1)..];
}

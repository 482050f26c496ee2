namespace Nacelle.CommandLine;

/// <summary>The name by which this program was started. Linked under the name of rkt it is a drop-in: it looks where rkt looked, and speaks as rkt did.</summary>
public static class ProgramName
{
    const string Own = "nacelle", Rkt = "rkt";

    public static bool IsRkt { get; } = Path.GetFileName(Environment.GetCommandLineArgs()[0]) == Rkt;

    public static string Text => IsRkt ? Rkt : Own;

    /// <summary>Where data lie, and configuration: <c>/var/lib/nacelle</c>.</summary>
    public static string In(string directory) => $"{directory}/{Text}";

    /// <summary>The name under which another of our executables is started, so that it is what this one is.</summary>
    public static string For(string program) => IsRkt ? Rkt : program;
}

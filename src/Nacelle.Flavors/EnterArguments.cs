namespace Nacelle.Flavors;

/// <summary>What stage1's <c>enter</c> is told: <c>--pid=PID --appname=APP -- COMMAND</c>.</summary>
sealed record EnterArguments(string App, IReadOnlyList<string> Command)
{
    public static EnterArguments Parse(string[] arguments)
    {
        const string AppName = "--appname=";
        int end = Array.IndexOf(arguments, "--");
        var app = arguments.Take(Math.Max(end, 0)).FirstOrDefault(one => one.StartsWith(AppName, StringComparison.Ordinal));
        return app is not null && end + 1 < arguments.Length
            ? new EnterArguments(app[AppName.Length..], arguments[(end + 1)..])
            : throw new FlavorException("stage1's enter takes --pid=PID --appname=NAME -- COMMAND");
    }
}

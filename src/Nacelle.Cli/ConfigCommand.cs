using System.Text;
using Nacelle.CommandLine;

namespace Nacelle.Cli;

/// <summary><c>config</c>: what the configuration's directories say together.</summary>
static class ConfigCommand
{
    static readonly Option Pretty = new("pretty-print", null, "indent the JSON (true)");

    public static readonly Command Definition = new("config", "[FLAGS]", "print the configuration, passwords included", [Pretty], Run);

    static int Run(Invocation invocation)
    {
        if (invocation.Words.Count > 0)
        {
            throw new UserException("config: takes no arguments");
        }

        var configuration = Configuration.Read(GlobalFlags.ConfigDirectories(invocation));
        var effective = configuration with { Paths = configuration.Paths with { Data = configuration.Paths.Data ?? GlobalFlags.UsualDataDirectory } };
        Output.Line(Encoding.UTF8.GetString(effective.ToJson(invocation.Is(Pretty, otherwise: true))));
        return 0;
    }
}

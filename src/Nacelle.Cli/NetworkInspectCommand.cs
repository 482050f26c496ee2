using System.Text;
using Nacelle.CommandLine;
using Nacelle.Network;
using Nacelle.Specs;

namespace Nacelle.Cli;

/// <summary><c>network inspect</c>: shows a network's configuration as it counts, whatever file or files it is from.</summary>
static class NetworkInspectCommand
{
    static readonly Option Pretty = new("pretty-print", null, "indent the JSON (true)");

    public static readonly Command Definition = new("network inspect", "[FLAGS] NETWORK…", "show the configuration of networks", [Pretty], Run);

    static int Run(Invocation invocation)
    {
        if (invocation.Words.Count == 0)
        {
            throw new UserException("network inspect: name a network");
        }

        var configurations = NetworkFlag.Load(invocation);
        foreach (var name in invocation.Words)
        {
            try
            {
                Output.Line(Encoding.UTF8.GetString(SpecNode.Reformat(configurations.Get(name).Network.ToJson(), invocation.Is(Pretty, otherwise: true))));
            }
            catch (NetworkException problem)
            {
                throw new UserException(problem.Message);
            }
        }

        return 0;
    }
}

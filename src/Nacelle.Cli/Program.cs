using Nacelle.Cli;
using Nacelle.Images;
using Nacelle.Linux;
using Nacelle.Pods;
using Nacelle.Specs;

const int OwnError = 254, NoCommand = 2;

try
{
    var invocation = CommandLine.Parse(Commands.All, GlobalFlags.All, args, out var command);
    if (invocation is null)
    {
        Output.Write(command is null ? Help.Overview(Commands.All, GlobalFlags.All) : Help.For(command, GlobalFlags.All));
        return args.Length == 0 ? NoCommand : 0;
    }

    return invocation.Command.Run(invocation);
}
catch (AlreadyToldException)
{
    return OwnError;
}
catch (Exception problem) when (problem is UserException or PodException or ImageException or LayerException or KernelException or SpecException)
{
    Output.Error(problem.Message);
    if (Environment.GetEnvironmentVariable("NACELLE_DEBUG") is not null)
    {
        Output.Error(problem.ToString());
    }

    return OwnError;
}
catch (Exception fault)
{
    Output.Error($"this is a fault of nacelle, please report it: {fault}");
    return OwnError;
}

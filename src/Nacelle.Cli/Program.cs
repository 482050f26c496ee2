using Nacelle.Cli;
using Nacelle.CommandLine;
using Nacelle.Images;
using Nacelle.Pods;
using Nacelle.Specs;

return new CommandProgram(
    "nacelle", "runs apps in pods, from signed and addressed images, without a daemon", Commands.All,
    problem => problem is PodException or ImageException or LayerException or SpecException) { Values = KnownValues.Of }.Run(args);

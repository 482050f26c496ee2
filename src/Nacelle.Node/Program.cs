using Nacelle.CommandLine;
using Nacelle.Images;
using Nacelle.Node;
using Nacelle.Pods;
using Nacelle.Specs;

return new CommandProgram(
    "nacelle-node", "those of nacelle's commands that serve others over the network", [ApiServiceCommand.Definition, MetadataServiceCommand.Definition],
    problem => problem is PodException or ImageException or SpecException).Run(args);

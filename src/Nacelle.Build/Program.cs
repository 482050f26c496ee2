using Nacelle.Build;
using Nacelle.CommandLine;
using Nacelle.Images;
using Nacelle.Pods;
using Nacelle.Specs;

return new CommandProgram(
    "nacelle-build", "those of nacelle's commands that make images", [BuildCommand.Definition],
    problem => problem is PodException or ImageException or LayerException or SpecException).Run(args);

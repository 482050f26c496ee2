using Nacelle.CommandLine;
using Nacelle.Images;
using Nacelle.Pods;
using Nacelle.Specs;

return new CommandProgram(
    "nacelle-build", "those of nacelle's commands that make images", [],
    problem => problem is PodException or ImageException or LayerException or SpecException).Run(args);

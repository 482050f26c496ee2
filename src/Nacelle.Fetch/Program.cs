using Nacelle.CommandLine;
using Nacelle.Fetch;
using Nacelle.Images;
using Nacelle.Specs;

return new CommandProgram(
    "nacelle-fetch", "those of nacelle's commands that speak to other machines, or compute hashes",
    [
        FetchCommand.Definition, FetchCommand.OfImages, TrustCommand.Definition, DownloadCommand.Definition, ImageCopyCommand.Definition, ImageInspectCommand.Definition, ImagePushCommand.Definition,
        ImageSignCommand.Definition, ImageVerifyCommand.Definition,
    ],
    problem => problem is ImageException or LayerException or SpecException).Run(args);

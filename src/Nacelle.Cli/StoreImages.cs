using Nacelle.CommandLine;
using Nacelle.Images;
using Nacelle.Specs;

namespace Nacelle.Cli;

/// <summary>The images that a command line names, which are in the store.</summary>
static class StoreImages
{
    public const string Meaning = "IMAGE is a name as listed, or an id or its unique beginning.";

    /// <exception cref="UserException">There is no such image.</exception>
    public static StoredImage Find(ImageStore store, string name) => store.Find(Distribution.Usual(name)) ?? throw new UserException($"the image '{name}' is not in the store");

    /// <summary>Does something for each of the images; one that fails does not keep the others from it.</summary>
    /// <returns>The exit code.</returns>
    public static int ForEach(Invocation invocation, ImageStore store, Action<StoredImage> act)
    {
        if (invocation.Words.Count == 0)
        {
            throw new UserException("name at least one image");
        }

        int exit = 0;
        foreach (var name in invocation.Words)
        {
            try
            {
                act(Find(store, name));
            }
            catch (Exception problem) when (problem is UserException or ImageException or LayerException)
            {
                Output.Error(problem.Message);
                exit = CommandProgram.OwnError;
            }
        }

        return exit;
    }

    /// <exception cref="UserException">Not one image and one path.</exception>
    public static (string Image, string Path) ImageAndPath(Invocation invocation) => invocation.Words is [var image, var path] ? (image, Path.GetFullPath(path))
        : throw new UserException($"{invocation.Command.Name}: name one image and one path");
}

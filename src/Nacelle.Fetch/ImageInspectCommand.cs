using System.Text;
using Nacelle.CommandLine;
using Nacelle.Images;

namespace Nacelle.Fetch;

/// <summary><c>image inspect</c>: tells about an image in the store or elsewhere, in the words of skopeo inspect.</summary>
static class ImageInspectCommand
{
    static readonly Option Raw = new("raw", null, "print the manifest or index (with --config: the config) byte by byte");
    static readonly Option Config = new("config", null, "print the config");
    static readonly Option NoTags = new("no-tags", null, "do not ask for the tags of the image's repository");

    public static readonly Command Definition = new(
        "image inspect", "[FLAGS] IMAGE", "tell about an image, here or in a registry", [Raw, Config, NoTags, FetchCommand.ForPlatform, Formats.Option], Run)
    {
        Description = "IMAGE without a scheme is the name or id of an image in the store; docker://…, oci:…, oci-archive:… and docker-archive:… are read where they are.",
    };

    static int Run(Invocation invocation)
    {
        bool indented = Formats.Of(invocation) != Format.Json;
        return invocation.Words is not [var text] ? throw new UserException("name one image; see nacelle help image inspect") : Interruptible.Run("nothing was changed", async cancellation =>
        {
            using var store = ImageStore.Open(GlobalFlags.DataDirectory(invocation));
            using var held = store.HoldContent();
            await using var source = await ImageSource.OpenAsync(text, store, RegistryFlags.Of(invocation), cancellation);
            bool raw = invocation.Is(Raw), config = invocation.Is(Config);
            if (raw && !config)
            {
                Output.Write(Encoding.UTF8.GetString((await source.ResolveAsync(cancellation)).Content));
                return;
            }

            var image = await ImageInspection.ReadAsync(source, FetchCommand.PlatformOf(invocation), withTags: !config && !invocation.Is(NoTags), cancellation);
            if (config && raw)
            {
                Output.Write(Encoding.UTF8.GetString(image.Config.Content));
            }
            else
            {
                Output.Line(Encoding.UTF8.GetString(config ? Nacelle.Specs.SpecNode.Reformat(image.Config.Content, indented) : image.ToJson(indented)));
            }
        });
    }
}

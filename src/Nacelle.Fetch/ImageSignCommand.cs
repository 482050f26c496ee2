using Nacelle.CommandLine;
using Nacelle.Images;
using Nacelle.Linux;
using Nacelle.Specs;
using Nacelle.Trust;

namespace Nacelle.Fetch;

/// <summary><c>image sign</c>: signs an ACI by OpenPGP, or an image in a registry by a sigstore key.</summary>
static class ImageSignCommand
{
    static readonly Option Key = new("key", "FILE", "the private key for images in registries: cosign's, or PKCS #8 in PEM");
    static readonly Option Passphrase = new("passphrase-file", "FILE", "the passphrase of that key");
    static readonly Option User = new("local-user", "USER", "whose OpenPGP key signs an ACI (gpg's default key)");

    public static readonly Command Definition = new("image sign", "[FLAGS] IMAGE", "sign an image", [Key, Passphrase, User], Run)
    {
        Description = "IMAGE is a file that ends in .aci: gpg, with its keys and its agent, writes the signature beside it, to IMAGE.asc.\nOr it is docker://…: the signature is pushed to the registry beside the image, and, where that is an index, beside each image it lists.",
    };

    static int Run(Invocation invocation)
    {
        var name = invocation.Words is [var only] ? only : throw new UserException("image sign: name one image");
        if (name.EndsWith(".aci", StringComparison.Ordinal))
        {
            var gpg = InstalledPrograms.TryFindInPath("gpg") ?? throw new UserException("image sign: there is no gpg");
            throw Processes.Execute(
                gpg, [gpg, .. invocation.Values(User).SelectMany(user => (string[])["--local-user", user]), "--armor", "--output", name + ".asc", "--detach-sign", name], Processes.Environment());
        }

        var file = invocation.Value(Key) ?? throw new UserException("image sign: give the key for an image in a registry: --key=FILE");
        var passphrase = invocation.Value(Passphrase) is { } secret ? Files.ReadAll(FileDescriptor.WorkingDirectory, secret) : null;
        using var key = SigstorePrivateKey.Parse(Files.ReadAll(FileDescriptor.WorkingDirectory, file), passphrase?.AsSpan().TrimEnd("\r\n"u8).ToArray(), file);
        return Interruptible.Run("the image may be signed or not", async cancellation =>
        {
            foreach (var digest in await ImageSigning.SignAsync(ImageReference.Parse(name), key, RegistryFlags.Of(invocation), cancellation))
            {
                Output.Line($"{digest}");
            }
        });
    }
}

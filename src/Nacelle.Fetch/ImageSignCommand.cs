using System.Text;
using Nacelle.CommandLine;
using Nacelle.Images;
using Nacelle.Linux;
using Nacelle.Specs;
using Nacelle.Trust;

namespace Nacelle.Fetch;

/// <summary><c>image sign</c>: signs an ACI in a file, or an image in a registry.</summary>
static class ImageSignCommand
{
    static readonly Option User = new("local-user", "KEY", "sign by this key of GnuPG's instead of its default");
    static readonly Option Key = new("sigstore-key", "FILE", "sign as cosign does, by the private key in the file, and push the signature");
    static readonly Option Passphrase = new("passphrase-file", "FILE", "its first line opens the sigstore key");
    static readonly Option Identity = new("identity", "NAME", "the name that the signature states, HOST/REPOSITORY:TAG (the image's own)");

    public static readonly Command Definition = new("image sign", "[FLAGS] IMAGE", "sign an image", [User, Key, Passphrase, Identity], Run)
    {
        Description = "IMAGE is an ACI in a file: its signature is written beside it, into FILE.asc. Or it is docker://HOST/REPOSITORY:TAG: then its manifest\nis signed by GnuPG, and the signature put where registries.d has them written; or, with --sigstore-key, pushed to the registry beside it.\nPrints where each signature is.",
    };

    static int Run(Invocation invocation)
    {
        if (invocation.Words is not [var text])
        {
            throw new UserException("name one image; see nacelle help image sign");
        }

        var signer = new OpenPgpSigner(invocation.Value(User));
        return Interruptible.Run("what was signed before stays", async cancellation =>
        {
            switch (ImageName.Parse(text))
            {
                case ImageReference reference:
                    var signing = new ImageSigning(reference, IdentityFor(invocation, reference), RegistryFlags.Of(invocation));
                    foreach (var place in invocation.Value(Key) is { } file
                        ? await SigstoreAsync(invocation, signing, reference, file, cancellation)
                        : await signing.SignSimpleAsync(signer, LookasideConfiguration.Load(), cancellation))
                    {
                        Output.Line(place);
                    }

                    break;
                case ImageFile { Format: ImageFileFormat.Detect } aci when invocation.Value(Key) is null && invocation.Value(Identity) is null:
                    Output.Line(ImageSigning.SignAci(aci.Path, signer, cancellation));
                    break;
                case ImageFile { Format: ImageFileFormat.Detect }:
                    throw new UserException("an ACI is signed by GnuPG, and its name is in its manifest: leave --sigstore-key and --identity out");
                default:
                    throw new UserException($"'{text}' cannot be signed: name an ACI's file, or docker://HOST/REPOSITORY:TAG");
            }
        });
    }

    static async Task<IEnumerable<string>> SigstoreAsync(Invocation invocation, ImageSigning signing, ImageReference reference, string file, CancellationToken cancellation)
    {
        var passphrase = invocation.Value(Passphrase) is { } path ? Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(Files.ReadAll(FileDescriptor.WorkingDirectory, path)).Split('\n')[0]) : null;
        using var key = SigstorePrivateKey.Parse(Files.ReadAll(FileDescriptor.WorkingDirectory, file), passphrase, file);
        return (await signing.SignSigstoreAsync(key, cancellation)).Select(tag => $"docker://{reference.Host}/{reference.Repository}:{tag}");
    }

    static string IdentityFor(Invocation invocation, ImageReference reference) => invocation.Value(Identity) is { } given
        ? SignedReference.TryParse(given)?.ToString() ?? throw new UserException($"--identity: '{given}' is not a name of images")
        : reference.Digest is null ? SignedReference.Of(reference).ToString()
        : throw new UserException("by its digest alone an image has no name to state: give --identity=HOST/REPOSITORY:TAG");
}

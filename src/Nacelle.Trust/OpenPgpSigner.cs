using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Trust;

/// <summary>Signs by the user's own GnuPG, whose agent keeps the keys and asks for passphrases: <c>$GNUPGHOME</c> and <c>$GPG_TTY</c> count.</summary>
/// <param name="User">Which of the user's keys: a fingerprint, an id or a name; null for GnuPG's default.</param>
/// <remarks>gpg(1).</remarks>
public sealed record OpenPgpSigner(string? User)
{
    // A person may be asked for a passphrase meanwhile.
    static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    /// <summary>An armored detached signature over a file.</summary>
    /// <exception cref="SpecException">There is no GnuPG, or it does not sign; it has said why on standard error.</exception>
    public byte[] SignFile(string path, CancellationToken cancellation) => Run(["--armor", "--detach-sign", "--output", "-", "--", path], [], cancellation);

    /// <summary>A message that carries its own signature.</summary>
    /// <inheritdoc cref="SignFile"/>
    public byte[] SignMessage(ReadOnlySpan<byte> text, CancellationToken cancellation) => Run(["--sign", "--output", "-"], text, cancellation);

    byte[] Run(string[] arguments, ReadOnlySpan<byte> input, CancellationToken cancellation)
    {
        string program = InstalledPrograms.TryFindInPath("gpg") ?? throw new SpecException("", "cannot sign: there is no gpg in $PATH");
        ProgramOutput output;
        try
        {
            // Of the digests that GnuPG knows, one that nobody refuses, whatever its configuration prefers.
            output = ProgramOutput.Of(
                program, ["--batch", "--quiet", "--digest-algo", "SHA512", .. User is null ? Array.Empty<string>() : ["--local-user", User], .. arguments],
                input, SignedMessage.Largest, Patience, cancellation);
        }
        catch (Exception failure) when (failure is TimeoutException or KernelException)
        {
            throw new SpecException("", $"cannot sign: {failure.Message}");
        }

        return output.Status.ShellCode == 0 && output.Output.Length > 0 ? output.Output : throw new SpecException("", $"gpg does not sign{(User is null ? "" : $" as '{User}'")}: exit code {output.Status.ShellCode}");
    }
}

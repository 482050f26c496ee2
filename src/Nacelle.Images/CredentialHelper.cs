using System.Text;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Images;

/// <summary>Asks a program that keeps credentials: <c>docker-credential-NAME get</c>, with the server on its standard input.</summary>
/// <remarks>github.com/docker/docker-credential-helpers, README.md, "Development".</remarks>
static class CredentialHelper
{
    const string Prefix = "docker-credential-", TokenUser = "<token>", NotFound = "credentials not found";
    const int LargestAnswer = 1 << 20, LongestQuote = 200;

    /// <param name="helper">The end of its name.</param>
    /// <returns>Null where it has none for that server.</returns>
    /// <exception cref="ImageException">It is not installed, fails, does not end, or answers in another way.</exception>
    public static RegistryCredential? Ask(string helper, string server, TimeSpan timeout, CancellationToken cancellation) =>
        helper.AsSpan().ContainsAny('/', '\0') ? throw new ImageException($"'{SpecException.OneLine(helper)}' is not the end of a credential helper's name")
            : InstalledPrograms.TryFindInPath(Prefix + helper) is { } program ? Run(program, server, timeout, cancellation)
            : throw new ImageException($"the credential for {server} is kept by {SpecException.OneLine(Prefix + helper)}, which is not in $PATH");

    /// <param name="program">Its path.</param>
    internal static RegistryCredential? Run(string program, string server, TimeSpan timeout, CancellationToken cancellation)
    {
        ProgramOutput answer;
        try
        {
            answer = ProgramOutput.Of(program, ["get"], Encoding.UTF8.GetBytes(server + "\n"), LargestAnswer, timeout, cancellation);
        }
        catch (TimeoutException failure)
        {
            throw new ImageException($"no credential for {server}: {failure.Message}", failure);
        }
        catch (KernelException failure)
        {
            throw new ImageException($"no credential for {server}: {failure.Message}", failure);
        }

        if (answer.Status.ShellCode != 0)
        {
            var said = Quote(answer.Output);
            return said.Contains(NotFound, StringComparison.Ordinal) ? null
                : throw new ImageException($"no credential for {server}: {program} fails: {(said.Length > 0 ? said : $"exit code {answer.Status.ShellCode}")}");
        }

        try
        {
            return Read(answer.Output);
        }
        catch (SpecException failure)
        {
            throw new ImageException($"no credential for {server}: {failure.In($"the answer of {program}").Message}", failure);
        }
    }

    /// <exception cref="SpecException">Not a helper's answer.</exception>
    internal static RegistryCredential? Read(ReadOnlySpan<byte> json) => SpecNode.Parse(json, node =>
    {
        string user = node.FindText("Username") ?? "", secret = node.FindText("Secret") ?? "";
        return user.Length == 0 && secret.Length == 0 ? null
            : user == TokenUser ? new RegistryCredential("", "", secret)
            : new RegistryCredential(user, secret, null);
    });

    static string Quote(byte[] output)
    {
        var text = Encoding.UTF8.GetString(output.AsSpan(0, Math.Min(output.Length, LongestQuote))).Trim();
        return SpecException.OneLine(text.ReplaceLineEndings(" "));
    }
}

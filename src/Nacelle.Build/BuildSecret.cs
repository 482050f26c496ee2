using System.Text;
using Nacelle.Linux;

namespace Nacelle.Build;

/// <summary>Where a secret is: in a file, or in a variable of this environment.</summary>
public sealed record BuildSecret(string? File, string? Variable)
{
    /// <exception cref="BuildException">It is not there.</exception>
    public byte[] Read()
    {
        if (Variable is not null)
        {
            return Encoding.UTF8.GetBytes(Environment.GetEnvironmentVariable(Variable) ?? throw new BuildException($"the secret's variable {Variable} is not set"));
        }

        using var file = Files.TryOpen(FileDescriptor.WorkingDirectory, File!, OpenFlags.ReadOnly, out var error)
            ?? throw new BuildException($"the secret's file {File} cannot be read: {error}");
        return Files.ReadToEnd(file);
    }
}

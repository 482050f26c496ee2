namespace Nacelle.EndToEnd.Tests;

/// <summary>A directory of GnuPG's with keys that need no passphrase.</summary>
sealed class GnupgHome : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("ngpg").FullName; // short: a socket's path holds 107 bytes

    /// <param name="when">What gpg is to take for now, in its own form; null for the time that it is.</param>
    /// <returns>The fingerprint.</returns>
    public string MakeKey(string userId, string expires = "never", string? when = null)
    {
        Run([.. At(when), "--passphrase", "", "--quick-generate-key", userId, "ed25519", "sign", expires]);
        return Run("--with-colons", "--list-keys", userId).Split('\n').First(line => line.StartsWith("fpr:", StringComparison.Ordinal)).Split(':')[9].ToLowerInvariant();
    }

    /// <summary>Writes the armored public key.</summary>
    /// <returns>Its path.</returns>
    public string Export(string key, string path)
    {
        Run("--armor", "--yes", "--output", path, "--export", key);
        return path;
    }

    public void Revoke(string key)
    {
        var certificate = $"{Path}/openpgp-revocs.d/{key.ToUpperInvariant()}.rev";
        File.WriteAllText(certificate, File.ReadAllText(certificate).Replace(":-----BEGIN", "-----BEGIN", StringComparison.Ordinal));
        Run("--import", certificate);
    }

    public string Run(params string[] arguments)
    {
        var result = Machine.Run("/usr/bin/env", [$"GNUPGHOME={Path}", "gpg", "--batch", "--pinentry-mode", "loopback", .. arguments]);
        Assert.True(result.ExitCode == 0, result.ToString());
        return result.Output;
    }

    public static string[] At(string? when) => when is null ? [] : ["--faked-system-time", when];

    public void Dispose()
    {
        Machine.Run("/usr/bin/env", $"GNUPGHOME={Path}", "gpgconf", "--kill", "all");
        Directory.Delete(Path, recursive: true);
    }
}

using System.Diagnostics;

namespace Nacelle.Trust.Tests;

/// <summary>A GnuPG of the test's own: keys, signatures, and other times than now.</summary>
sealed class Gnupg : IDisposable
{
    public Gnupg()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/gpg"), "there is no gpg");
        Path = Directory.CreateTempSubdirectory("ngpg").FullName; // short: a socket's path holds 107 bytes
        Home = Path + "/home";
        Directory.CreateDirectory(Home, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    public string Path { get; }

    string Home { get; }

    /// <summary>Makes a key without a passphrase.</summary>
    /// <param name="when">GnuPG's idea of the time, as in 20200101T000000.</param>
    /// <returns>Its fingerprint.</returns>
    public string MakeKey(string userId, string algorithm = "ed25519", string usage = "sign", string expires = "never", string? when = null)
    {
        Run([.. At(when), "--passphrase", "", "--quick-generate-key", userId, algorithm, usage, expires]);
        return Fingerprints(userId)[^1];
    }

    public void AddSubkey(string fingerprint, string algorithm = "ed25519", string usage = "sign", string expires = "never", string? when = null) =>
        Run([.. At(when), "--passphrase", "", "--quick-add-key", fingerprint, algorithm, usage, expires]);

    public byte[] Export(string key, bool armor = true)
    {
        Run([.. armor ? new[] { "--armor" } : [], "--yes", "--output", $"{Path}/export", "--export", key]);
        return File.ReadAllBytes($"{Path}/export");
    }

    public byte[] Export(string key, string another)
    {
        Run(["--armor", "--output", $"{Path}/export", "--export", key, another]);
        return File.ReadAllBytes($"{Path}/export");
    }

    public byte[] Sign(byte[] content, string key, bool armor = true, string? when = null, params string[] options)
    {
        File.WriteAllBytes($"{Path}/content", content);
        Run([.. At(when), .. armor ? new[] { "--armor" } : [], .. options, "--yes", "--local-user", key, "--output", $"{Path}/signature", "--detach-sign", $"{Path}/content"]);
        return File.ReadAllBytes($"{Path}/signature");
    }

    /// <summary>A message that carries its own signature.</summary>
    public byte[] SignInline(byte[] content, string key, params string[] options)
    {
        File.WriteAllBytes($"{Path}/content", content);
        Run([.. options, "--local-user", key, "--output", $"{Path}/message", "--sign", $"{Path}/content"]);
        return File.ReadAllBytes($"{Path}/message");
    }

    public void Revoke(string fingerprint)
    {
        var certificate = File.ReadAllText($"{Home}/openpgp-revocs.d/{fingerprint.ToUpperInvariant()}.rev").Replace(":-----BEGIN", "-----BEGIN", StringComparison.Ordinal);
        File.WriteAllText($"{Path}/revocation", certificate);
        Run(["--import", $"{Path}/revocation"]);
    }

    public string Run(string[] arguments, string input = "")
    {
        var info = new ProcessStartInfo("gpg", ["--batch", "--yes", "--pinentry-mode", "loopback", .. arguments])
        {
            RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true, UseShellExecute = false,
        };
        info.Environment["GNUPGHOME"] = Home;
        using var process = Process.Start(info)!;
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"gpg {string.Join(' ', arguments)}: {errors.Result}");
        return output;
    }

    public void Dispose()
    {
        var info = new ProcessStartInfo("gpgconf", ["--kill", "all"]);
        info.Environment["GNUPGHOME"] = Home;
        Process.Start(info)!.WaitForExit();
        Directory.Delete(Path, recursive: true);
    }

    string[] Fingerprints(string key) =>
        [.. Run(["--with-colons", "--list-keys", key]).Split('\n').Where(line => line.StartsWith("pub:", StringComparison.Ordinal) || line.StartsWith("fpr:", StringComparison.Ordinal))
            .Aggregate((Found: new List<string>(), Primary: false), (state, line) =>
            {
                if (line[0] == 'f' && state.Primary)
                {
                    state.Found.Add(line.Split(':')[9].ToLowerInvariant());
                }

                return (state.Found, line[0] == 'p');
            }).Found];

    static string[] At(string? when) => when is null ? [] : ["--faked-system-time", when + "!"];
}

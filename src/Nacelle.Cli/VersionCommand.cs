using System.Runtime.InteropServices;
using Nacelle.CommandLine;
using Nacelle.Specs;

namespace Nacelle.Cli;

/// <summary><c>version</c>: what this is, and which specifications it speaks.</summary>
static class VersionCommand
{
    public static readonly Command Definition = new("version", "", "show versions", [], Run);

    /// <summary>The last one, whose commands and files are kept to.</summary>
    const string RktVersion = "1.30.0";

    static int Run(Invocation invocation)
    {
        Output.Write($"""
            {ProgramName.Text} Version: {(ProgramName.IsRkt ? $"{RktVersion}+nacelle-" : "")}{ProductVersion.Text}
            appc Version: {PodManifest.AppcVersion}
            OCI Runtime Version: {RuntimeConfig.CurrentVersion}
            .NET Version: {Environment.Version}
            OS/Arch: linux/{RuntimeInformation.ProcessArchitecture switch { Architecture.X64 => "amd64", Architecture.Arm64 => "arm64", var other => other.ToString().ToLowerInvariant() }}
            Features: -TPM -SDJOURNAL

            """);
        return 0;
    }
}

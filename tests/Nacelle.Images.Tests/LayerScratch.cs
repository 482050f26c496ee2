using System.Diagnostics;
using Nacelle.Linux;

namespace Nacelle.Images.Tests;

/// <summary>A directory that is gone after the test, with whatever was put into it.</summary>
sealed class LayerScratch : IDisposable
{
    public LayerScratch()
    {
        Path = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"nacelle-layers-{Guid.NewGuid():n}");
        Files.MakeDirectory(FileDescriptor.WorkingDirectory, Path, 0x1C0);
        Root = Files.Open(Path, OpenFlags.ReadOnly | OpenFlags.Directory);
    }

    public string Path { get; }

    public FileDescriptor Root { get; }

    /// <summary>A new directory in it, owned by the scratch directory.</summary>
    public FileDescriptor Make(string name)
    {
        Files.EnsureDirectory(Root, name);
        var directory = Files.Open(Root, name, OpenFlags.ReadOnly | OpenFlags.Directory);
        opened.Add(directory);
        return directory;
    }

    /// <summary>Runs a shell command with this directory as its working directory; a failure fails the test with what was said.</summary>
    public string Shell(string command)
    {
        using var process = System.Diagnostics.Process.Start(new ProcessStartInfo("/bin/sh", ["-ec", command])
        {
            WorkingDirectory = Path, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false,
        })!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{command}\nexit code {process.ExitCode}\n{output}{errors.Result}");
        return output;
    }

    public void Dispose()
    {
        opened.ForEach(directory => directory.Dispose());
        Root.Dispose();
        Directories.RemoveTree(FileDescriptor.WorkingDirectory, Path);
    }

    readonly List<FileDescriptor> opened = [];
}

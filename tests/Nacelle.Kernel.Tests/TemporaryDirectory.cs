using Nacelle.Linux;

namespace Nacelle.Kernel.Tests;

/// <summary>A directory for one test, removed with all that is in it.</summary>
sealed class TemporaryDirectory : IDisposable
{
    public TemporaryDirectory()
    {
        Path = Directory.CreateTempSubdirectory("nacelle-kernel-tests-").FullName;
        Descriptor = Files.Open(Path, OpenFlags.ReadOnly | OpenFlags.Directory);
    }

    public string Path { get; }

    public FileDescriptor Descriptor { get; }

    public void Dispose()
    {
        Descriptor.Dispose();
        using var parent = Files.Open(System.IO.Path.GetDirectoryName(Path)!, OpenFlags.Path | OpenFlags.Directory);
        Directories.RemoveTree(parent, System.IO.Path.GetFileName(Path));
    }
}

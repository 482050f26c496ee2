using Nacelle.Linux;

namespace Nacelle.Network.Tests;

/// <summary>A directory for one test, removed with all that is in it.</summary>
sealed class TemporaryDirectory : IDisposable
{
    public TemporaryDirectory()
    {
        Path = Directory.CreateTempSubdirectory("nacelle-network-tests-").FullName;
        Descriptor = Files.Open(Path, OpenFlags.ReadOnly | OpenFlags.Directory);
    }

    public string Path { get; }

    public FileDescriptor Descriptor { get; }

    /// <summary>Writes a file, with its directories.</summary>
    public string Write(string name, string content, bool executable = false)
    {
        string path = $"{Path}/{name}";
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        File.WriteAllText(path, content);
        if (executable)
        {
            File.SetUnixFileMode(path, (UnixFileMode)0x1ED);
        }

        return path;
    }

    public string Read(string name) => File.Exists($"{Path}/{name}") ? File.ReadAllText($"{Path}/{name}") : "";

    public void Dispose()
    {
        Descriptor.Dispose();
        Directory.Delete(Path, recursive: true);
    }
}

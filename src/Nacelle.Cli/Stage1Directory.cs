using System.Text;
using Nacelle.CommandLine;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Cli;

/// <summary>The directory where stage1 images are installed, and what the store has of it.</summary>
/// <remarks>Reading and hashing a whole image each time a pod is made would take longer than the pod: a file counts as unchanged when its inode, size and time are.</remarks>
static class Stage1Directory
{
    const string Records = "stage1-images";

    /// <summary>As the configuration has it; else <c>stage1-images</c> beside the executables.</summary>
    /// <returns>Null when there is none.</returns>
    public static string? TryFind(Invocation invocation) =>
        Configuration.Read(GlobalFlags.ConfigDirectories(invocation), "paths.d").Paths.Stage1Images?.TrimEnd('/') ?? InstalledPrograms.TryFind("stage1-images");

    /// <returns>The id of the image that the file held when it was last taken into the store; null when it was never, or has changed since.</returns>
    public static string? Remembered(string data, string name, FileStatus file) =>
        Files.TryReadText(FileDescriptor.WorkingDirectory, $"{data}/{Records}/{name}") is { } text && text.StartsWith(Describe(file), StringComparison.Ordinal)
            ? text[Describe(file).Length..].Trim() : null;

    public static void Remember(string data, string name, FileStatus file, Digest image)
    {
        using var records = Files.EnsureDirectories($"{data}/{Records}");
        using var directory = Files.Open(records, ".", OpenFlags.ReadOnly | OpenFlags.Directory);
        Files.Replace(directory, name, Encoding.UTF8.GetBytes($"{Describe(file)}{image.FileName}\n"));
    }

    static string Describe(FileStatus file) => $"{file.FileSystem.Encoded} {file.Inode} {file.Size} {file.ModificationTime.Seconds}.{file.ModificationTime.Nanoseconds} ";
}

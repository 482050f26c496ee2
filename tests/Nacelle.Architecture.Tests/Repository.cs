using System.Xml.Linq;

namespace Nacelle.Architecture.Tests;

/// <summary>The repository these tests were built from, as files.</summary>
static class Repository
{
    /// <summary>The nearest directory above the test executable that holds the solution.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>Every project under src/, by its name.</summary>
    public static IReadOnlyDictionary<string, XDocument> Projects { get; } = Directory
        .GetFiles(Path.Combine(Root, "src"), "*.csproj", SearchOption.AllDirectories)
        .ToDictionary(file => Path.GetFileNameWithoutExtension(file), XDocument.Load);

    /// <summary>All project files and all files that MSBuild imports by itself or on request.</summary>
    public static IEnumerable<string> BuildFiles =>
        new[] { "*.csproj", "*.props", "*.targets" }.SelectMany(Files).Order(StringComparer.Ordinal);

    /// <summary>The C# sources under src/, none of them generated.</summary>
    public static IEnumerable<string> Sources => Files("*.cs").Where(file => file.StartsWith("src/", StringComparison.Ordinal));

    public static string Read(string path) => File.ReadAllText(Path.Combine(Root, path));

    static IEnumerable<string> Files(string pattern) =>
        new[] { "src", "tests", "eng", "bench" }
            .Select(folder => Path.Combine(Root, folder))
            .Where(Directory.Exists)
            .SelectMany(folder => Directory.GetFiles(folder, pattern, SearchOption.AllDirectories))
            .Concat(Directory.GetFiles(Root, pattern))
            .Select(file => Path.GetRelativePath(Root, file))
            .Where(file => !file.Split('/').Any(part => part is "bin" or "obj" or "artifacts"));

    static string FindRoot()
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            if (File.Exists(Path.Combine(directory.FullName, "Nacelle.slnx")))
            {
                return directory.FullName;
            }
        }

        throw new DirectoryNotFoundException($"no Nacelle.slnx above {AppContext.BaseDirectory}");
    }
}

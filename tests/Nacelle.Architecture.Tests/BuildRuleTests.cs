namespace Nacelle.Architecture.Tests;

public class BuildRuleTests
{
    [Fact]
    public void Only_the_kernel_layer_allows_unsafe_code()
    {
        var allowing = Repository.BuildFiles.Where(file => Repository.Read(file).Contains("AllowUnsafeBlocks", StringComparison.Ordinal));
        Assert.Equal(["src/Nacelle.Linux/Nacelle.Linux.csproj", "src/Nacelle.Runner/Nacelle.Runner.csproj"], allowing.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_source_that_handles_raw_memory_says_why_that_is_safe()
    {
        var silent = Repository.Sources.Where(file =>
            Repository.Read(file) is var text
            && (text.Contains("fixed (", StringComparison.Ordinal) || text.Contains("NativeMemory.", StringComparison.Ordinal))
            && !text.Contains("// SAFETY:", StringComparison.Ordinal));
        Assert.Empty(silent);
    }

    [Fact]
    public void Calls_into_the_C_library_are_generated_at_build_time_and_stand_only_in_the_kernel_layer()
    {
        Assert.DoesNotContain(Repository.Sources, file => Repository.Read(file).Contains("[DllImport", StringComparison.Ordinal));
        Assert.DoesNotContain(
            Repository.Sources.Where(file => !file.StartsWith("src/Nacelle.Linux/", StringComparison.Ordinal)),
            file => Repository.Read(file).Contains("[LibraryImport", StringComparison.Ordinal));
    }

    [Fact]
    public void Package_versions_stand_only_in_the_central_file()
    {
        var versioned = Repository.BuildFiles
            .Where(file => file != "Directory.Packages.props")
            .Where(file => System.Xml.Linq.XDocument.Parse(Repository.Read(file))
                .Descendants()
                .Any(element => element.Name.LocalName is "PackageReference" or "PackageVersion"
                    && (element.Attribute("Version") ?? element.Attribute("VersionOverride")) is not null));
        Assert.Empty(versioned);
    }
}

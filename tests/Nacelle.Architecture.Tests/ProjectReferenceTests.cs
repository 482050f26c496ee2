namespace Nacelle.Architecture.Tests;

/// <summary>The table of ARCHITECTURE.md, "The rooms": which project may use which. Arrows only go down.</summary>
public class ProjectReferenceTests
{
    static readonly Dictionary<string, string[]> MayUse = new(StringComparer.Ordinal)
    {
        ["Runner"] = [],
        ["Linux"] = ["Runner"],
        ["Specs"] = [],
        ["Trust"] = ["Linux", "Specs"],
        ["Images"] = ["Linux", "Specs", "Trust"],
        ["CommandLine"] = ["Linux", "Specs"],
        ["Fetch"] = ["CommandLine", "Pods"],
        ["Containers"] = ["Linux", "Specs"],
        ["Systemd"] = ["Linux"],
        ["Network"] = ["Linux", "Specs"],
        ["Pods"] = ["Containers", "Images", "Network", "Trust"],
        ["Build"] = ["CommandLine", "Pods"],
        ["Supervisor"] = ["Containers", "Network"],
        ["Flavors"] = ["Containers", "Network", "Systemd"],
        ["Oci"] = ["Containers", "Systemd"],
        ["Cli"] = ["CommandLine", "Pods"],
        ["Cri"] = ["Pods"],
        ["Kubelet"] = ["Cri", "Pods"],
        ["Services"] = ["Pods"],
        ["Node"] = ["CommandLine", "Cri", "Kubelet", "Services"],
    };

    public static TheoryData<string> Projects => [.. Repository.Projects.Keys.Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_project_references_only_what_the_design_allows_it(string project)
    {
        string room = project["Nacelle.".Length..];
        Assert.True(MayUse.ContainsKey(room), $"{project} is not in the design's table");
        var allowed = Below(room);
        var references = Repository.Projects[project]
            .Descendants("ProjectReference")
            .Select(reference => Path.GetFileNameWithoutExtension((string)reference.Attribute("Include")!)["Nacelle.".Length..]);
        Assert.DoesNotContain(references, reference => !allowed.Contains(reference));
    }

    [Fact]
    public void The_architecture_page_names_every_project()
    {
        string page = Repository.Read("ARCHITECTURE.md");
        Assert.DoesNotContain(Repository.Projects.Keys, project => !page.Contains($"`{project}`", StringComparison.Ordinal));
    }

    [Fact]
    public void The_solution_holds_every_project()
    {
        string solution = Repository.Read("Nacelle.slnx");
        var projects = Repository.BuildFiles.Where(file => file.EndsWith(".csproj", StringComparison.Ordinal));
        Assert.DoesNotContain(projects, project => !solution.Contains($"\"{project}\"", StringComparison.Ordinal));
    }

    /// <summary>What may be used also brings what that may use: MSBuild's references are transitive.</summary>
    static HashSet<string> Below(string room) => [.. MayUse[room], .. MayUse[room].SelectMany(Below)];
}

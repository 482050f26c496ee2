using System.Globalization;

namespace Nacelle.Specs;

public sealed partial record AppImageManifest
{
    /// <summary>The pairs of os and arch that the specification knows (schema/types/labels.go).</summary>
    static readonly Dictionary<string, string[]> Architectures = new(StringComparer.Ordinal)
    {
        ["linux"] = ["amd64", "i386", "aarch64", "aarch64_be", "armv6l", "armv7l", "armv7b", "ppc64", "ppc64le", "s390x"],
        ["freebsd"] = ["amd64", "i386", "arm"],
        ["darwin"] = ["x86_64", "i386"],
    };

    /// <param name="source">Where the document comes from, for messages.</param>
    /// <exception cref="SpecException">A rule of the specification is broken; says where.</exception>
    public void Check(string source)
    {
        try
        {
            Require(AcKind == Kind, "acKind", $"'{AcKind}' is not '{Kind}'");
            Require(IsSemanticVersion(AcVersion), "acVersion", $"'{AcVersion}' is not a version: write 0.8.11");
            Require(AcIdentifier.IsValid(Name), "name", AcIdentifier.Rule(Name));
            CheckLabels("labels", Labels);
            App?.CheckImage("app");
            for (int i = 0; i < Dependencies.Count; i++)
            {
                Require(AcIdentifier.IsValid(Dependencies[i].ImageName), $"dependencies[{i}].imageName", AcIdentifier.Rule(Dependencies[i].ImageName));
                CheckLabels($"dependencies[{i}].labels", Dependencies[i].Labels);
            }

            for (int i = 0; i < PathWhitelist.Count; i++)
            {
                Require(
                    PathWhitelist[i].StartsWith('/') && !PathWhitelist[i].Contains('\0') && !PathWhitelist[i].Split('/').Contains(".."),
                    $"pathWhitelist[{i}]", $"'{PathWhitelist[i]}' is not an absolute path without '..'");
            }

            CheckAnnotations();
        }
        catch (SpecException problem)
        {
            throw problem.In(source);
        }
    }

    void CheckAnnotations()
    {
        for (int i = 0; i < Annotations.Count; i++)
        {
            var (name, value) = Annotations[i];
            Require(AcIdentifier.IsValid(name), $"annotations[{i}].name", AcIdentifier.Rule(name));
            Require(!Annotations.Take(i).Any(other => other.Name == name), $"annotations[{i}].name", $"'{name}' stands twice");
            Require(
                name != "created" || DateTimeOffset.TryParse(value, CultureInfo.InvariantCulture, out _),
                $"annotations[{i}].value", $"'{value}' is not a time as in 2014-10-27T19:32:27Z");
            Require(
                name is not ("homepage" or "documentation") || Uri.TryCreate(value, UriKind.Absolute, out var link) && link.Scheme is "http" or "https",
                $"annotations[{i}].value", $"'{value}' is not a URL of http or https");
        }
    }

    static void CheckLabels(string path, IReadOnlyList<Annotation> labels)
    {
        for (int i = 0; i < labels.Count; i++)
        {
            Require(AcIdentifier.IsValid(labels[i].Name), $"{path}[{i}].name", AcIdentifier.Rule(labels[i].Name));
            Require(labels[i].Name != "name", $"{path}[{i}].name", "'name' is no label: the image's name stands outside");
            Require(!labels.Take(i).Any(other => other.Name == labels[i].Name), $"{path}[{i}].name", $"'{labels[i].Name}' stands twice");
        }

        var os = labels.FirstOrDefault(label => label.Name == "os")?.Value;
        var architecture = labels.FirstOrDefault(label => label.Name == "arch")?.Value;
        Require(os is not null || architecture is null, path, "an arch needs an os");
        Require(os is null || Architectures.ContainsKey(os), path, $"there is no os '{os}': use {string.Join(", ", Architectures.Keys)}");
        Require(
            architecture is null || Architectures[os!].Contains(architecture),
            path, $"{os} has no arch '{architecture}': use {(os is null ? "" : string.Join(", ", Architectures[os]))}");
    }

    static bool IsSemanticVersion(string text)
    {
        var core = text.Split('-', '+')[0].Split('.');
        return core.Length == 3 && core.All(number => uint.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out _));
    }

    static void Require(bool kept, string path, string message)
    {
        if (!kept)
        {
            throw new SpecException(path, message);
        }
    }
}

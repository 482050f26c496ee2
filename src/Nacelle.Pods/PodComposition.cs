using Nacelle.Images;
using Nacelle.Specs;

namespace Nacelle.Pods;

/// <summary>Puts a pod manifest together from a request and the images it names.</summary>
static class PodComposition
{
    public static PodManifest Compose(PodRequest request, IReadOnlyList<AppImage> images)
    {
        var apps = new List<PodApp>();
        for (int i = 0; i < request.Apps.Count; i++)
        {
            var app = Compose(request, request.Apps[i], images[i]);
            apps.Add(!apps.Any(other => other.Name == app.Name) ? app
                : throw new PodException($"two apps of the pod are named '{app.Name}': give one another name with --name"));
        }

        return new PodManifest
        {
            Apps = apps,
            Volumes = request.Volumes,
            Ports = request.Ports,
            Isolators = request.Isolators,
            Annotations = request.Annotations,
            UserAnnotations = request.UserAnnotations,
            UserLabels = request.UserLabels,
        };
    }

    static PodApp Compose(PodRequest request, AppRequest app, AppImage image)
    {
        var manifest = image.Manifest;
        var name = app.Name ?? image.DefaultName;
        var run = manifest.App ?? (app.Exec is null
            ? throw new PodException($"the image of app '{name}' says nothing to run: give a program with --exec")
            : new App { User = "0", Group = "0" });
        var exec = app.Exec is { } program ? [program, .. app.Arguments ?? []]
            : app.Arguments is { Count: > 0 } arguments ? [.. image.EntryPoint, .. arguments]
            : run.Exec;
        return new PodApp
        {
            Name = name,
            Image = new PodImage { Id = image.Image.Id.ToString().Replace(':', '-'), Name = manifest.Name, Labels = manifest.Labels },
            Annotations = [.. manifest.Annotations, .. app.Annotations],
            ReadOnlyRootFileSystem = app.ReadOnlyRoot,
            Mounts = [.. app.Mounts, .. request.Mounts.Where(common => !app.Mounts.Any(own => own.Path == common.Path))],
            App = run with
            {
                Exec = exec.Count > 0 ? exec : throw new PodException($"the image of app '{name}' says no program to run: give one with --exec"),
                User = app.User ?? run.User,
                Group = app.Group ?? (app.User is null ? run.Group : ""),
                SupplementaryGroups = app.SupplementaryGroups ?? run.SupplementaryGroups,
                WorkingDirectory = app.WorkingDirectory ?? run.WorkingDirectory,
                Environment = Merge(request.InheritedEnvironment, run.Environment, request.Environment, app.Environment),
                Isolators = [.. run.Isolators.Where(own => !app.Isolators.Any(given => given.Name == own.Name)), .. app.Isolators],
                UserAnnotations = app.UserAnnotations ?? run.UserAnnotations,
                UserLabels = app.UserLabels is null ? run.UserLabels : Merge(run.UserLabels, app.UserLabels),
            },
        };
    }

    /// <summary>Later lists win; a variable keeps the place where it first stood.</summary>
    static List<Annotation> Merge(params ReadOnlySpan<IReadOnlyList<Annotation>> lists)
    {
        var merged = new List<Annotation>();
        foreach (var list in lists)
        {
            foreach (var variable in list)
            {
                int at = merged.FindIndex(one => one.Name == variable.Name);
                if (at < 0)
                {
                    merged.Add(variable);
                }
                else
                {
                    merged[at] = variable;
                }
            }
        }

        return merged;
    }

    static Dictionary<string, string> Merge(IReadOnlyDictionary<string, string>? weaker, IReadOnlyDictionary<string, string> stronger)
    {
        var merged = new Dictionary<string, string>(weaker ?? new Dictionary<string, string>(), StringComparer.Ordinal);
        foreach (var (name, value) in stronger)
        {
            merged[name] = value;
        }

        return merged;
    }
}

using Nacelle.CommandLine;
using Nacelle.Images;
using Nacelle.Pods;
using Nacelle.Specs;

namespace Nacelle.Cli;

/// <summary><c>app add</c>: adds an app to a pod that runs.</summary>
static class AppAddCommand
{
    static readonly Option MountVolume = new(
        "mnt-volume", "name=NAME,kind=host|empty,target=PATH,…", "give the app a volume: name=NAME,kind=host,source=PATH,target=PATH[,readOnly=true] or name=NAME,kind=empty,target=PATH");

    public static readonly Command Definition = new(
        "app add", "[FLAGS] UUID IMAGE [FLAGS] [-- ARGUMENT…]", "add an app to a running pod of app sandbox",
        [PodFlags.PullPolicy, .. PullPolicyFlags.Older, PodFlags.VerifyImages, PodFlags.SetEnvironment, PodFlags.EnvironmentFile, PodFlags.Volume, MountVolume, .. AppFlags.PerApp], Run)
    {
        Description = "The app is not started: app start does that. Its flags may stand before or behind the image.",
    };

    static int Run(Invocation invocation)
    {
        GlobalFlags.RequireRoot(invocation);
        if (invocation.Words is not [var name, var image])
        {
            throw new UserException("name the pod by its UUID, and an image");
        }

        var brought = invocation.Values(MountVolume).Select(ParseMountVolume).ToList();
        var app = AppFlags.ToRequest(invocation, image);
        var request = new PodRequest
        {
            Apps = [app with { Mounts = [.. app.Mounts, .. brought.Select(one => new PodMount { Volume = one.Volume.Name, Path = one.Target })] }],
            Volumes = [.. invocation.Values(PodFlags.Volume).Select(volume => PodFlags.ParseVolume(volume, "--volume")), .. brought.Select(one => one.Volume)],
            Environment = PodFlags.Environment(invocation),
        };
        using var pods = new PodStore(GlobalFlags.DataDirectory(invocation));
        using var found = RunningPod.Find(invocation, pods);
        using var images = ImageStore.Open(pods.Path);
        using var layers = PodPreparing.OpenLayers(pods);
        var stored = Fetching.FindAll(invocation, images, [(image, app.Signature)])[0];
        var options = PodFlags.ToRelaxations(invocation);
        return AppStartCommand.ExitCode(PodApps.Add(pods, found.Pod, images, layers, request, stored, options, warning => Output.Error($"warning: {warning}")));
    }

    static (PodVolume Volume, string Target) ParseMountVolume(string text)
    {
        var parts = text.Split(',').ToList();
        string Take(string key)
        {
            int at = parts.FindIndex(part => part.StartsWith(key + "=", StringComparison.Ordinal));
            if (at < 0)
            {
                throw new UserException($"--mnt-volume={text}: it has no {key}=…");
            }

            var value = parts[at][(key.Length + 1)..];
            parts.RemoveAt(at);
            return value;
        }

        var (name, target) = (Take("name"), Take("target"));
        return target.StartsWith('/') ? (PodFlags.ParseVolume(string.Join(',', [name, .. parts]), "--mnt-volume"), target)
            : throw new UserException($"--mnt-volume={text}: the target is an absolute path");
    }
}

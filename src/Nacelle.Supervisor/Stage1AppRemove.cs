using Nacelle.Linux;

namespace Nacelle.Supervisor;

/// <summary>Stage1's <c>app-rm</c>: takes an app that does not run out of a pod that does: from PID 1, from the pod's mounts, and its control group.</summary>
static class Stage1AppRemove
{
    /// <summary>An app's root file system, from the pod directory.</summary>
    public static string RootOf(string app) => $"stage1/rootfs/opt/stage2/{app}/rootfs";

    public static int Remove(string[] arguments)
    {
        var (app, uuid) = AppArguments.Parse("app-rm", arguments);
        using (var control = PodControl.Connect())
        {
            control.Ask(new ControlMessage(ControlVerb.Remove, app));
        }

        PodCgroups.Remove(uuid, app);
        using var init = PodProcess.Open();
        var table = Files.TryReadText(FileDescriptor.WorkingDirectory, $"/proc/{PodProcess.Number}/mountinfo") ?? "";
        Mounts.JoinNamespace(init);
        string root = $"/opt/stage2/{app}/rootfs", volumes = $"/{PodMounts.VolumesOf(app)}/";
        foreach (var line in table.Split('\n').Reverse())
        {
            var fields = line.Split(' ');
            if (fields.Length > 4 && (fields[4] == root || fields[4].StartsWith(root + "/", StringComparison.Ordinal) || fields[4].StartsWith(volumes, StringComparison.Ordinal)))
            {
                Mounts.TryDetach(fields[4]);
            }
        }

        return 0;
    }
}

using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Supervisor;

/// <summary>Stage1's <c>app-add</c>: gives a pod that runs one more app, which is not started yet.</summary>
/// <remarks>
/// The app's bundle is in the pod directory, and its root file system is mounted in this process's own mount namespace. Copies of that and of all that the app mounts
/// from the host are attached in the pod's namespace; then PID 1 gets the order.
/// </remarks>
static class Stage1AppAdd
{
    public static int Add(string[] arguments)
    {
        var (name, _) = AppArguments.Parse("app-add", arguments);
        var options = Stage1Options.OfApp(arguments);
        var manifest = PodManifest.Parse(Files.ReadAll(FileDescriptor.WorkingDirectory, "pod"), "pod");
        var app = manifest.Apps.FirstOrDefault(one => one.Name.ToString() == name) ?? throw new Stage1Exception($"the pod has no app {name}");
        using var init = PodProcess.Open();
        using var control = PodControl.Connect();
        using var mounts = new PodMounts(name);
        mounts.KnowSys(options, add: false);
        var groups = new PodCgroups(options.IsInUserNamespace);
        try
        {
            var planning = new AppPlanning(options, groups, mounts);
            var planned = planning.Prepare(app, terminal: false, SocketActivation.Of(app, alone: false, []));
            if (planned.Descriptors.Count() + 1 > Sockets.MostDescriptors)
            {
                throw new Stage1Exception($"app {name}: the pod would get {planned.Descriptors.Count()} descriptors of it, and {Sockets.MostDescriptors - 1} can be given to a pod that runs: let fewer of its ports be activated by sockets");
            }

            mounts.Add(Mounts.Clone(FileDescriptor.WorkingDirectory, $"{Stage1AppRemove.RootOf(name)}", recursive: true), $"opt/stage2/{name}/rootfs");
            var order = planning.Order(planned, console: null);
            using var file = Files.CreateInMemory("app order");
            using (var memory = new MemoryStream())
            using (var writer = new BinaryWriter(memory))
            {
                order.WriteTo(writer);
                writer.Flush();
                Files.Write(file, memory.GetBuffer().AsSpan(0, (int)memory.Length));
            }

            Mounts.JoinNamespace(init);
            mounts.Attach("");
            control.Ask(new ControlMessage(ControlVerb.Add, name), [file, .. planned.Descriptors]);
            return 0;
        }
        catch
        {
            groups.Remove();
            throw;
        }
    }
}

using Nacelle.Linux;

namespace Nacelle.Supervisor;

/// <summary>An app as the pod's PID 1 knows it: how it is started, and how it is asked to stop.</summary>
/// <param name="Cgroup">The descriptor of the version 2 group that the app is born in, or -1.</param>
/// <param name="Plan">A launch plan, as <see cref="LaunchPlan.ToBytes"/> writes it.</param>
sealed record AppOrder(string Name, Namespaces Namespaces, Signal StopSignal, int Cgroup, byte[] Plan);

/// <summary>All that the pod's PID 1 has to know, handed over in a file in memory: it reads no manifest and sees nothing of the host.</summary>
/// <param name="Streams">The apps are connected straight to the pod's own standard streams, or to a terminal; nothing is logged.</param>
/// <param name="StandardInput">The descriptor that apps read from.</param>
sealed record PodOrder(bool Streams, int StandardInput, IReadOnlyList<AppOrder> Apps)
{
    public void WriteTo(FileDescriptor file)
    {
        using var memory = new MemoryStream();
        using var writer = new BinaryWriter(memory);
        writer.Write(Streams);
        writer.Write(StandardInput);
        writer.Write(Apps.Count);
        foreach (var app in Apps)
        {
            writer.Write(app.Name);
            writer.Write((uint)app.Namespaces);
            writer.Write((int)app.StopSignal);
            writer.Write(app.Cgroup);
            writer.Write(app.Plan.Length);
            writer.Write(app.Plan);
        }

        writer.Flush();
        Files.Write(file, memory.GetBuffer().AsSpan(0, (int)memory.Length));
    }

    public static PodOrder Read(int descriptor)
    {
        using var file = new FileDescriptor(descriptor, "pod order");
        Files.Seek(file, 0, SeekOrigin.Begin);
        using var reader = new BinaryReader(new MemoryStream(Files.ReadToEnd(file)));
        bool streams = reader.ReadBoolean();
        int input = reader.ReadInt32();
        var apps = new AppOrder[reader.ReadInt32()];
        for (int i = 0; i < apps.Length; i++)
        {
            apps[i] = new AppOrder(reader.ReadString(), (Namespaces)reader.ReadUInt32(), (Signal)reader.ReadInt32(), reader.ReadInt32(), reader.ReadBytes(reader.ReadInt32()));
        }

        return new PodOrder(streams, input, apps);
    }
}

using Nacelle.Linux;

namespace Nacelle.Supervisor;

/// <summary>An app as the pod's PID 1 knows it: how it is started, watched and stopped.</summary>
/// <remarks>Descriptors are numbers: those of whoever wrote the order, until <see cref="Rename"/>; -1 for none.</remarks>
sealed class AppOrder
{
    public required string Name { get; init; }

    public required Namespaces Namespaces { get; init; }

    public required Signal StopSignal { get; init; }

    /// <summary>How long the app has to end when it is asked to, in milliseconds.</summary>
    public required int StopTimeout { get; init; }

    public required RestartPolicy Restart { get; init; }

    public required StreamModes Streams { get; init; }

    /// <summary>Output is kept in a log.</summary>
    public required bool IsLogged { get; init; }

    /// <summary>The socket on which the app says itself when it is ready (sd_notify(3)).</summary>
    public required int Notify { get; set; }

    /// <summary>The version 2 group that the app is born in.</summary>
    public required int Cgroup { get; set; }

    /// <summary>See <see cref="CgroupKillFile"/>.</summary>
    public required int KillFile { get; set; }

    public required bool KillsAll { get; init; }

    /// <summary>The socket on which the outer side of the app's own terminal arrives.</summary>
    public required int Console { get; set; }

    /// <summary>All that the app's order and plans refer to.</summary>
    public required int[] Descriptors { get; init; }

    public required PlanImage Plan { get; init; }

    /// <summary>Run to its end before the app.</summary>
    public PlanImage? PreStart { get; init; }

    /// <summary>Run after the app, however that ended.</summary>
    public PlanImage? PostStop { get; init; }

    public void WriteTo(BinaryWriter writer)
    {
        writer.Write(Name);
        writer.Write((uint)Namespaces);
        writer.Write((int)StopSignal);
        writer.Write(StopTimeout);
        writer.Write((byte)Restart.When);
        writer.Write(Restart.Most);
        writer.Write([(byte)Streams.Input, (byte)Streams.Output, (byte)Streams.Error]);
        writer.Write(Streams.InputOnce);
        writer.Write(IsLogged);
        writer.Write(Notify);
        writer.Write(Cgroup);
        writer.Write(KillFile);
        writer.Write(KillsAll);
        writer.Write(Console);
        writer.Write(Descriptors.Length);
        foreach (int number in Descriptors)
        {
            writer.Write(number);
        }

        foreach (var plan in (ReadOnlySpan<PlanImage?>)[Plan, PreStart, PostStop])
        {
            writer.Write(plan is not null);
            plan?.WriteTo(writer);
        }
    }

    public static AppOrder ReadFrom(BinaryReader reader) => new()
    {
        Name = reader.ReadString(),
        Namespaces = (Namespaces)reader.ReadUInt32(),
        StopSignal = (Signal)reader.ReadInt32(),
        StopTimeout = reader.ReadInt32(),
        Restart = new RestartPolicy((RestartWhen)reader.ReadByte(), reader.ReadInt32()),
        Streams = new StreamModes((StreamMode)reader.ReadByte(), (StreamMode)reader.ReadByte(), (StreamMode)reader.ReadByte(), reader.ReadBoolean()),
        IsLogged = reader.ReadBoolean(),
        Notify = reader.ReadInt32(),
        Cgroup = reader.ReadInt32(),
        KillFile = reader.ReadInt32(),
        KillsAll = reader.ReadBoolean(),
        Console = reader.ReadInt32(),
        Descriptors = ReadNumbers(reader),
        Plan = ReadPlan(reader)!,
        PreStart = ReadPlan(reader),
        PostStop = ReadPlan(reader),
    };

    /// <summary>Takes the descriptors as they were received, in the order of <see cref="Descriptors"/>; they become this order's.</summary>
    public void Rename(IReadOnlyList<FileDescriptor> received)
    {
        var before = (int[])Descriptors.Clone();
        for (int i = 0; i < before.Length; i++)
        {
            Descriptors[i] = received[i].Release();
        }

        Cgroup = NumberHere(Cgroup);
        KillFile = NumberHere(KillFile);
        Console = NumberHere(Console);
        Notify = NumberHere(Notify);
        Plan.Rename(NumberHere);
        PreStart?.Rename(NumberHere);
        PostStop?.Rename(NumberHere);

        int NumberHere(int number)
        {
            int at = Array.IndexOf(before, number);
            return at < 0 ? number : Descriptors[at];
        }
    }

    static int[] ReadNumbers(BinaryReader reader)
    {
        var numbers = new int[reader.ReadInt32()];
        for (int i = 0; i < numbers.Length; i++)
        {
            numbers[i] = reader.ReadInt32();
        }

        return numbers;
    }

    static PlanImage? ReadPlan(BinaryReader reader) => reader.ReadBoolean() ? PlanImage.ReadFrom(reader) : null;
}

/// <summary>All that the pod's PID 1 has to know, handed over in a file in memory: it reads no manifest and sees nothing of the host.</summary>
/// <param name="Mutable">Apps come and go, and the pod stays until it is stopped.</param>
/// <param name="HostProcesses">The pod is in the host's PID namespace: this process is no PID 1, and nothing ends with it by itself.</param>
/// <param name="Input">The descriptor of the pod's own standard input.</param>
/// <param name="Null">Of /dev/null.</param>
/// <param name="Control">Of the socket on which others ask for changes.</param>
/// <param name="Notifications">Of the socket to which messages for the host's service manager go, or -1.</param>
/// <param name="Journal">Where output goes beside the logs; null for nowhere.</param>
sealed record PodOrder(bool Mutable, bool HostProcesses, int Input, int Null, int Control, int Notifications, PodJournal? Journal, IReadOnlyList<AppOrder> Apps)
{
    public void WriteTo(FileDescriptor file)
    {
        using var memory = new MemoryStream();
        using var writer = new BinaryWriter(memory);
        writer.Write(Mutable);
        writer.Write(HostProcesses);
        writer.Write(Input);
        writer.Write(Null);
        writer.Write(Control);
        writer.Write(Notifications);
        writer.Write(Journal is not null);
        Journal?.WriteTo(writer);
        writer.Write(Apps.Count);
        foreach (var app in Apps)
        {
            app.WriteTo(writer);
        }

        writer.Flush();
        Files.Write(file, memory.GetBuffer().AsSpan(0, (int)memory.Length));
    }

    public static PodOrder Read(int descriptor)
    {
        using var file = new FileDescriptor(descriptor, "pod order");
        Files.Seek(file, 0, SeekOrigin.Begin);
        using var reader = new BinaryReader(new MemoryStream(Files.ReadToEnd(file)));
        return new PodOrder(
            reader.ReadBoolean(), reader.ReadBoolean(), reader.ReadInt32(), reader.ReadInt32(), reader.ReadInt32(), reader.ReadInt32(),
            reader.ReadBoolean() ? PodJournal.ReadFrom(reader) : null, ReadApps(reader));
    }

    static AppOrder[] ReadApps(BinaryReader reader)
    {
        var apps = new AppOrder[reader.ReadInt32()];
        for (int i = 0; i < apps.Length; i++)
        {
            apps[i] = AppOrder.ReadFrom(reader);
        }

        return apps;
    }
}

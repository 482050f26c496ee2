using Nacelle.Containers;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Oci;

/// <summary>What create and run do: from a bundle to a process of which only the start is missing.</summary>
/// <remarks>Whatever fails on the way, nothing is left: no process, no control group, no directory.</remarks>
sealed class ContainerCreation
{
    readonly GlobalOptions globals;
    readonly CreateOptions options;
    readonly RuntimeConfig config;
    readonly byte[] text;

    ContainerCreation(GlobalOptions globals, CreateOptions options)
    {
        this.globals = globals;
        this.options = options;
        if (!Directory.Exists(options.Bundle))
        {
            throw new UserException($"there is no bundle at {options.Bundle}");
        }

        Environment.CurrentDirectory = options.Bundle;
        var file = options.ConfigFile ?? $"{options.Bundle}/config.json";
        text = Files.ReadAll(FileDescriptor.WorkingDirectory, file);
        config = RuntimeConfig.Parse(text, file);
        config.Check(file);
        if (config.Process?.Capabilities is { } capabilities)
        {
            foreach (var name in ContainerIdentity.Unknown(capabilities, ContainerIdentity.Grantable(HasUsers)))
            {
                Log.Warning(globals, $"{file}: process.capabilities: {name} cannot be granted: this process has not got it, or the kernel does not know it");
            }
        }
    }

    /// <summary>Checks the bundle, and the options against it; nothing is made yet.</summary>
    public static ContainerCreation Prepare(GlobalOptions globals, CreateOptions options) => new(globals, options);

    public RuntimeConfig Config => config;

    /// <param name="console">Who gets the terminal's outer side, or null.</param>
    /// <param name="waits">Whether the process waits for a later start; otherwise it starts as soon as it is released.</param>
    /// <param name="meanwhile">Done by this process while the other one begins.</param>
    /// <returns>The container, locked, and its process, to be released when the caller has done what has to be done before.</returns>
    public (Container Container, ContainerBirth Birth) Make(FileDescriptor? console, bool waits, Action? meanwhile = null)
    {
        var director = ResourceDirector.For(config, options.Id);
        var root = config.Root ?? throw new SpecException("root", "is missing");
        var rootPath = Path.GetFullPath(root.Path);
        using var rootfs = OpenRoot(rootPath);
        var inherited = InheritedDescriptors.Find(options.PreservedDescriptors, pid: 1);
        var directory = new ContainerStore(globals.Root).Reserve(options.Id);
        var group = default(ContainerGroup);
        var birth = default(ContainerBirth);
        try
        {
            var place = GroupPlace.Plan(config, options.Id, globals.CgroupManager);
            var container = new Container(directory);
            container.Write(new ContainerRecord
            {
                Id = options.Id,
                Bundle = options.Bundle,
                Rootfs = rootPath,
                Created = DateTimeOffset.UtcNow,
                Cgroup = place.Path?.ToString(),
                CgroupsMade = 1, // until it is known otherwise: a crash in between shall leave nothing
                Unit = place.Unit?.Name,
                Keyring = options.NoNewKeyring ? null : $"_ses.{options.Id}",
                Owner = Processes.EffectiveUserId,
            });
            container.WriteConfig(text);
            group = ContainerGroup.Create(place, config);
            birth = Begin(container, group, rootfs, console, inherited, waits);
            meanwhile?.Invoke();
            group.Adopt(birth.Process.Id);
            container.Record = container.Record with { Cgroup = group.Path, CgroupsMade = group.Made };
            director?.Assign(birth.Process.Id);
            ContainerNetwork.MoveDevices(config, birth.Process.Id);
            Finish(container, birth);
            return (container, birth);
        }
        catch (Exception problem)
        {
            var state = new Container(directory).State(RuntimeStatus.Stopped);
            birth?.Dispose();
            bool outOfMemory = problem is KernelException { Errno: Errno.ECANCELED or Errno.EPIPE or Errno.ECONNRESET or Errno.ESRCH } && (group?.HasRunOutOfMemory ?? false);
            director?.Remove();
            group?.Remove();
            directory.Remove();
            directory.Dispose();
            if (problem is HookException)
            {
                ContainerRemoval.RunHooks(globals, config.Hooks?.Poststop ?? [], state); // runtime.md, "Lifecycle", steps 3 to 5
            }

            if (outOfMemory)
            {
                throw new SpecException("linux.resources.memory", "the container's process was killed before its program ran, because it needed more memory than the limit");
            }

            throw;
        }
        finally
        {
            group?.Dispose();
        }
    }

    ContainerBirth Begin(Container container, ContainerGroup group, FileDescriptor rootfs, FileDescriptor? console, InheritedDescriptors inherited, bool waits)
    {
        var own = ContainerNamespaces.Own(config);
        bool initial = UserNamespaces.IsInitial;
        using var sources = ContainerSources.TryMake(config, container.Record.Rootfs, rootfs, options.Bundle, HasOwnUsers ? MakeMapping : null);
        using var start = waits ? MakeStartPipe(container) : null;
        using var plan = Files.Open(container.Directory.Descriptor, Container.PlanFile, OpenFlags.ReadWrite | OpenFlags.Create | OpenFlags.Exclusive, 0x180);
        using var proc = Files.Open("/proc", OpenFlags.Path | OpenFlags.Directory);
        var adapted = config.Process is { } process ? config with { Process = HomeDirectory.AddTo(inherited.AddTo(process), rootfs) } : config;
        var setting = new ContainerSetting
        {
            RootPath = container.Record.Rootfs,
            Sources = sources,
            SourcePath = path => Path.Combine(options.Bundle, path),
            Cgroups = group.JoinFiles,
            CgroupHierarchies = group.Hierarchies,
            ConsoleSocket = console,
            DeviceSource = (own & Namespaces.User) != 0 || !initial ? "/dev" : null,
            Proc = proc,
            PreservedDescriptors = inherited.Count,
            KeyringName = container.Record.Keyring,
            RootEntry = options.NoPivot ? RootEntry.Move : RootEntry.Pivot,
        };
        return ContainerBirth.Begin(adapted, setting, start, group.Birthplace, plan);
    }

    /// <summary>Goes along with the process until it is ready, and writes down that it is there.</summary>
    void Finish(Container container, ContainerBirth birth)
    {
        var status = Processes.TryStatus(birth.Process.Id);
        var record = container.Record with { Pid = birth.Process.Id, StartTime = status?.StartTime ?? 0 };
        birth.UntilReady(HasOwnUsers ? config.Linux : null, () => RunHooks(container, record), listener => SeccompListener.Send(config, container.State(RuntimeStatus.Creating) with { Pid = record.Pid }, record.Pid, listener));
        container.Write(record);
        if (options.PidFile is { } file)
        {
            PidFile.Write(file, record.Pid);
        }
    }

    void RunHooks(Container container, ContainerRecord record)
    {
        var hooks = config.Hooks!;
        var state = (container.State(RuntimeStatus.Creating) with { Pid = record.Pid }).ToJson();
        ContainerHooks.Run(hooks.Prestart, "prestart", state, new HookPlace.Runtime());
        ContainerHooks.Run(hooks.CreateRuntime, "createRuntime", state, new HookPlace.Runtime());
        if (hooks.CreateContainer.Count == 0)
        {
            return;
        }

        using var process = Processes.TryOpen(record.Pid) ?? throw new KernelException("open the container's process", Errno.ESRCH);
        state = (container.State(RuntimeStatus.Creating) with { Pid = Processes.InnermostId(record.Pid) }).ToJson();
        ContainerHooks.Run(hooks.CreateContainer, "createContainer", state, new HookPlace.Namespaces(process));
    }

    bool HasUsers => (ContainerNamespaces.Own(config) & Namespaces.User) != 0;

    bool HasOwnUsers => (ContainerNamespaces.ToMake(config) & Namespaces.User) != 0;

    FileDescriptor MakeMapping() => UserNamespaces.Create(IdRanges.Of(config.Linux!.UidMappings), IdRanges.Of(config.Linux.GidMappings));

    /// <summary>Open for both directions, so that opening waits for nobody.</summary>
    static FileDescriptor MakeStartPipe(Container container)
    {
        Files.MakeNode(container.Directory.Descriptor, Container.StartPipe, (uint)FileKind.Pipe | 0x180, 0);
        return Files.Open(container.Directory.Descriptor, Container.StartPipe, OpenFlags.ReadWrite);
    }

    static FileDescriptor OpenRoot(string path) =>
        Files.TryOpen(FileDescriptor.WorkingDirectory, path, OpenFlags.Path | OpenFlags.Directory, out var error)
            ?? throw new SpecException("root.path", error == Errno.ENOENT ? $"there is no directory {path}" : $"{path}: {error}");
}

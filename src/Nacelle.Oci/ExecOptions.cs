using Nacelle.Specs;

namespace Nacelle.Oci;

/// <summary>The options of exec.</summary>
sealed record ExecOptions
{
    public static readonly IReadOnlyList<Option> All =
    [
        new("process|p", "FILE", "a process section as in config.json, instead of a command"),
        new("tty|t", null, "give the process a terminal"),
        new("cwd", "PATH", "the working directory"),
        new("env|e", "NAME=VALUE", "a further variable; may be given several times"),
        new("user|u", "UID[:GID]", "who the process is"),
        new("additional-gids|g", "GID", "a further group; may be given several times"),
        new("cap|c", "CAPABILITY", "a further capability; may be given several times"),
        new("apparmor", "PROFILE", "the AppArmor profile"),
        new("process-label", "LABEL", "the SELinux label"),
        new("no-new-privs", null, "the process can gain no privileges"),
        new("preserve-fds", "N", "hand on N descriptors, from 3 (behind those of LISTEN_FDS)"),
        new("console-socket", "SOCKET", "who gets the outer side of the process's terminal"),
        new("pid-file", "FILE", "where the process id is written"),
        new("detach|d", null, "return as soon as the process runs"),
        new("cgroup", "PATH", "a control group below the container's"),
        new("ignore-paused", null, "go on although the container is paused"),
        new("no-subreaper", null, "accepted; this runtime is none"),
    ];

    readonly List<string> env = [];
    readonly List<uint> gids = [];
    readonly List<string> capabilities = [];

    public string Id { get; private set; } = "";

    public string? ProcessFile { get; private set; }

    public bool? Terminal { get; private set; }

    public string? Cwd { get; private set; }

    public string? User { get; private set; }

    public string? Apparmor { get; private set; }

    public string? Label { get; private set; }

    public bool NoNewPrivileges { get; private set; }

    public int PreservedDescriptors { get; private set; }

    public string? ConsoleSocket { get; private set; }

    public string? PidFile { get; private set; }

    public bool Detach { get; private set; }

    public string? Cgroup { get; private set; }

    public bool IgnorePaused { get; private set; }

    public IReadOnlyList<string> Command { get; private set; } = [];

    public static ExecOptions Take(Arguments arguments)
    {
        var options = new ExecOptions();
        arguments.TakeOptions(All, options.Take);
        options.Id = arguments.Need("the container's id");
        arguments.TakeOptions(All, options.Take);
        options.Command = arguments.Rest();
        return options;
    }

    void Take(string name, string value)
    {
        switch (name)
        {
            case "process": ProcessFile = value; break;
            case "tty": Terminal = value == "true"; break;
            case "cwd": Cwd = value; break;
            case "env": env.Add(value); break;
            case "user": User = value; break;
            case "additional-gids": gids.Add((uint)Numbers.Parse(value, "--additional-gids")); break;
            case "cap": capabilities.Add(value); break;
            case "apparmor": Apparmor = value; break;
            case "process-label": Label = value; break;
            case "no-new-privs": NoNewPrivileges = value == "true"; break;
            case "preserve-fds": PreservedDescriptors = Numbers.Parse(value, "--preserve-fds"); break;
            case "console-socket": ConsoleSocket = Path.GetFullPath(value); break;
            case "pid-file": PidFile = Path.GetFullPath(value); break;
            case "detach": Detach = value == "true"; break;
            case "cgroup": Cgroup = value; break;
            case "ignore-paused": IgnorePaused = value == "true"; break;
        }
    }

    /// <summary>The process to run: the one in the file, or the container's own with what the options change.</summary>
    public RuntimeProcess Process(RuntimeConfig config)
    {
        if (ProcessFile is { } file)
        {
            var given = RuntimeProcess.Parse(Linux.Files.ReadAll(Linux.FileDescriptor.WorkingDirectory, file), file);
            return Terminal is { } set ? given with { Terminal = set } : given;
        }

        if (Command.Count == 0)
        {
            throw new UserException("what to run is missing: a command, or --process");
        }

        var own = config.Process ?? new RuntimeProcess { Cwd = "/" };
        return own with
        {
            Terminal = Terminal ?? false,
            ConsoleSize = null,
            Args = Command,
            Cwd = Cwd ?? own.Cwd,
            Env = [.. own.Env, .. env],
            User = UserOf(own.User),
            Capabilities = WithFurther(own.Capabilities),
            ApparmorProfile = Apparmor ?? own.ApparmorProfile,
            SelinuxLabel = Label ?? own.SelinuxLabel,
            NoNewPrivileges = NoNewPrivileges || own.NoNewPrivileges,
        };
    }

    RuntimeUser UserOf(RuntimeUser own)
    {
        var user = own;
        if (User is { } text)
        {
            var parts = text.Split(':');
            var uid = (uint)Numbers.Parse(parts[0], "--user");
            user = new RuntimeUser { Uid = uid, Gid = parts.Length > 1 ? (uint)Numbers.Parse(parts[1], "--user") : 0, Umask = own.Umask };
        }

        return gids.Count > 0 ? user with { AdditionalGids = [.. user.AdditionalGids, .. gids] } : user;
    }

    /// <summary>Into all sets but the inheritable one, which lets programs with file capabilities have more than was meant (CVE-2022-29162).</summary>
    RuntimeCapabilities? WithFurther(RuntimeCapabilities? own)
    {
        if (capabilities.Count == 0)
        {
            return own;
        }

        var sets = own ?? new RuntimeCapabilities();
        return sets with
        {
            Bounding = [.. sets.Bounding, .. capabilities],
            Effective = [.. sets.Effective, .. capabilities],
            Permitted = [.. sets.Permitted, .. capabilities],
        };
    }
}

namespace Nacelle.Oci;

/// <summary>The options of create and run.</summary>
sealed record CreateOptions
{
    public static readonly IReadOnlyList<Option> All =
    [
        new("bundle|b", "DIRECTORY", "where config.json lies (default: the working directory)"),
        new("config|f", "FILE", "another config.json"),
        new("console-socket", "SOCKET", "who gets the outer side of the container's terminal"),
        new("pid-file", "FILE", "where the process id of the container is written"),
        new("no-pivot", null, "move and chroot instead of pivot_root, for root file systems in an initramfs"),
        new("no-new-keyring", null, "keep the caller's session keyring"),
        new("preserve-fds", "N", "hand on N descriptors, from 3 (behind those of LISTEN_FDS)"),
        new("no-subreaper", null, "accepted; this runtime is none"),
    ];

    public string Id { get; private set; } = "";

    public string Bundle { get; private set; } = ".";

    public string? ConfigFile { get; private set; }

    public string? ConsoleSocket { get; private set; }

    public string? PidFile { get; private set; }

    public bool NoPivot { get; private set; }

    public bool NoNewKeyring { get; private set; }

    public int PreservedDescriptors { get; private set; }

    public bool Detach { get; private set; }

    public bool Keep { get; private set; }

    public static CreateOptions Take(Arguments arguments, IReadOnlyList<Option> options)
    {
        var taken = new CreateOptions();
        arguments.TakeOptions(options, taken.Take);
        taken.Id = arguments.Need("the container's id");
        arguments.TakeOptions(options, taken.Take);
        arguments.End();
        taken.Bundle = Path.GetFullPath(taken.Bundle);
        return taken;
    }

    void Take(string name, string value)
    {
        switch (name)
        {
            case "bundle": Bundle = value; break;
            case "config": ConfigFile = Path.GetFullPath(value); break;
            case "console-socket": ConsoleSocket = Path.GetFullPath(value); break;
            case "pid-file": PidFile = Path.GetFullPath(value); break;
            case "no-pivot": NoPivot = value == "true"; break;
            case "no-new-keyring": NoNewKeyring = value == "true"; break;
            case "preserve-fds": PreservedDescriptors = Numbers.Parse(value, "--preserve-fds"); break;
            case "detach": Detach = value == "true"; break;
            case "keep": Keep = value == "true"; break;
        }
    }
}

using Nacelle.Linux;

namespace Nacelle.Flavors;

/// <summary>The OCI runtime that a pod's apps are handed to, and where it keeps its state: within the pod directory.</summary>
/// <param name="Program">Its path.</param>
sealed record OciRuntime(string Program)
{
    public const string Directory = "stage1/rootfs/rkt/oci";

    const string Variable = "NACELLE_OCI_RUNTIME", RecordPath = Directory + "/runtime";

    static readonly string[] Known = ["crun", "runc"];

    static readonly FileDescriptor Here = FileDescriptor.WorkingDirectory;

    /// <summary>The one that the environment names, by path or by name, else the first of those known.</summary>
    public static OciRuntime Find()
    {
        var wanted = Environment.GetEnvironmentVariable(Variable);
        var names = string.IsNullOrEmpty(wanted) ? Known : [wanted];
        return names.Select(name => name.StartsWith('/') ? Files.Exists(Here, name) ? name : null : InstalledPrograms.TryFindInPath(name)).FirstOrDefault(path => path is not null) is { } program
            ? new OciRuntime(program)
            : throw new FlavorException($"the stage1 oci found no runtime {string.Join(" or ", names)}: install one, or name one in {Variable}");
    }

    /// <summary>The runtime that this pod was started with.</summary>
    public static OciRuntime? TryRead() => Files.TryReadText(Here, RecordPath)?.Trim() is { Length: > 0 } program ? new OciRuntime(program) : null;

    public void Write()
    {
        Files.EnsureDirectory(Here, Directory);
        Files.WriteAll(Here, RecordPath, Program + "\n");
    }

    /// <summary>The runtime's command line for one of its commands.</summary>
    public IReadOnlyList<string> Command(params IEnumerable<string> arguments) => [Program, "--root", $"{Environment.CurrentDirectory}/{Directory}/state", .. arguments];

    /// <summary>Starts a command of the runtime with standard output and error of this process.</summary>
    /// <param name="input">Standard input, too; else it is empty.</param>
    public Process Start(bool input, params IEnumerable<string> arguments)
    {
        const int PR_SET_PDEATHSIG = 1, SIG_SETMASK = 2;
        var plan = new LaunchPlan();
        plan.Call("die with stage1", SystemCall.prctl, PR_SET_PDEATHSIG, (int)Signal.Kill);
        if (!input)
        {
            var empty = plan.CallForResult("open /dev/null", SystemCall.openat, -100, plan.Text("/dev/null"), (long)(OpenFlags.ReadOnly | OpenFlags.CloseOnExec));
            plan.Call("connect standard input", SystemCall.dup3, empty, 0, 0);
        }

        plan.Call("unblock signals", SystemCall.rt_sigprocmask, SIG_SETMASK, plan.Bytes(stackalloc byte[8]), 0, 8);
        plan.Call($"exec {Program}", SystemCall.execve, plan.Text(Program), plan.TextArray(Command(arguments)), plan.TextArray(Processes.Environment()));
        return Launcher.Start(plan);
    }
}

using System.Text;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Oci;

static class ProcessesCommand
{
    public static readonly Command Definition = new(
        "ps", "[--format=table|json] ID [PS-OPTION…]", "show the processes of a container", [new("format|f", "table|json", "ps(1)'s table, or the process ids (default: table)")], Run);

    static int Run(GlobalOptions globals, Arguments arguments)
    {
        var format = "table";
        void Take(string name, string value) => format = value;
        arguments.TakeOptions(Definition.Options, Take);
        var id = arguments.Need("the container's id");
        arguments.TakeOptions(Definition.Options, Take);
        var psOptions = arguments.Rest();
        using var container = new ContainerStore(globals.Root).Open(id);
        using var group = container.OpenCgroup();
        var processes = group?.Processes() ?? (container.IsAlive ? [container.Record.Pid] : []);
        switch (format)
        {
            case "json":
                Output.Line($"[{string.Join(',', processes)}]");
                return 0;
            case "table":
                Output.Write(Choose(RunPs(psOptions.Count > 0 ? psOptions : ["-ef"]), processes));
                return 0;
            default:
                throw new UserException($"--format is table or json, not '{format}'");
        }
    }

    /// <summary>The title, and the lines of these processes.</summary>
    static string Choose(string table, IReadOnlyCollection<int> processes)
    {
        var lines = table.Split('\n');
        int column = Array.IndexOf(lines[0].Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries), "PID");
        if (column < 0)
        {
            throw new UserException("ps shows no PID column with these options");
        }

        var chosen = new StringBuilder(lines[0]).Append('\n');
        foreach (var line in lines.Skip(1))
        {
            var fields = line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (fields.Length > column && int.TryParse(fields[column], out int pid) && processes.Contains(pid))
            {
                chosen.Append(line).Append('\n');
            }
        }

        return chosen.ToString();
    }

    static string RunPs(IReadOnlyList<string> options)
    {
        var (read, write) = Files.CreatePipe("ps");
        using (read)
        {
            Process process;
            using (write)
            {
                var plan = new LaunchPlan();
                plan.Call("connect", SystemCall.dup3, plan.Descriptor(write), 1, 0);
                plan.Call("exec ps", SystemCall.execve, plan.Text("/bin/ps"), plan.TextArray(["ps", .. options]), plan.TextArray(Processes.Environment()));
                process = Launcher.Start(plan);
            }

            var text = Encoding.UTF8.GetString(Files.ReadToEnd(read));
            return process.Wait().ShellCode == 0 ? text : throw new UserException($"ps {string.Join(' ', options)} failed");
        }
    }
}

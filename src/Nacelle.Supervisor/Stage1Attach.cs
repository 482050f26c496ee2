using Nacelle.Linux;

namespace Nacelle.Supervisor;

/// <summary>Stage1's <c>attach</c>: connects this process's standard streams to an app's, or says which of them are open.</summary>
/// <remarks>
/// The actions of rkt's contract: <c>list</c>; <c>auto-attach</c>, to all that are open; <c>custom-attach</c>, to those that --stdin, --stdout, --stderr, --tty-in and
/// --tty-out name.
/// </remarks>
static class Stage1Attach
{
    public static int Attach(string[] arguments)
    {
        if (!Signals.IsBlocked(Signal.Terminate))
        {
            Signals.BlockAll(); // they come by descriptor, so that the terminal is put right before the end
            throw Processes.Execute("/proc/self/exe", ["attach", .. arguments], Processes.Environment());
        }

        var name = AppArguments.Parse("attach", arguments).App;
        var manifest = Specs.PodManifest.Parse(Files.ReadAll(FileDescriptor.WorkingDirectory, "pod"), "pod");
        var app = manifest.Apps.FirstOrDefault(one => one.Name.ToString() == name) ?? throw new Stage1Exception($"the pod has no app {name}");
        var streams = AppAnnotations.Of(app).Streams(interactive: false);
        var action = AppArguments.Value(arguments, "--action") ?? "auto-attach";
        if (action == "list")
        {
            foreach (var one in Open(streams))
            {
                Files.Write(FileDescriptor.StandardOutput, System.Text.Encoding.ASCII.GetBytes(one + "\n"));
            }

            return 0;
        }

        var wanted = action == "auto-attach" ? Open(streams) : [.. Open(streams).Concat(["stdin", "stdout", "stderr", "tty-in", "tty-out"]).Distinct().Where(one => Is(arguments, one))];
        if (wanted.Count == 0)
        {
            throw new Stage1Exception($"app {name} has no stream that is open to others: it was not run with --stdin=stream, --stdout=stream or --stdin=tty");
        }

        using var control = PodControl.Connect();
        using var relay = new AttachRelay(control, name, wanted);
        return relay.Run();
    }

    static bool Is(string[] arguments, string flag) => arguments.Contains($"--{flag}") || arguments.Contains($"--{flag}=true");

    /// <summary>The streams that can be attached to.</summary>
    static List<string> Open(StreamModes streams)
    {
        var open = new List<string>();
        if (streams.Terminal)
        {
            return ["tty-in", "tty-out"];
        }

        foreach (var (mode, name) in (ReadOnlySpan<(StreamMode, string)>)[(streams.Input, "stdin"), (streams.Output, "stdout"), (streams.Error, "stderr")])
        {
            if (mode == StreamMode.Stream || (mode == StreamMode.Log && name != "stdin"))
            {
                open.Add(name);
            }
        }

        return open;
    }
}

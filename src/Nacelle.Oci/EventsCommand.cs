using Nacelle.Linux;

namespace Nacelle.Oci;

/// <summary>Tells what a container uses, again and again or once, and when its memory runs out.</summary>
static class EventsCommand
{
    public static readonly Command Definition = new(
        "events", "[OPTIONS] ID", "tell what a container uses, as lines of JSON",
        [new("stats", null, "once, and no events"), new("interval", "DURATION", "between two tellings: 5s, 500ms (default: 5s)")], Run);

    static int Run(GlobalOptions globals, Arguments arguments)
    {
        bool once = false;
        int interval = 5000;
        void Take(string name, string value)
        {
            once |= name == "stats";
            interval = name == "interval" ? Milliseconds(value) : interval;
        }

        arguments.TakeOptions(Definition.Options, Take);
        var id = arguments.Need("the container's id");
        arguments.TakeOptions(Definition.Options, Take);
        arguments.End();
        using var container = new ContainerStore(globals.Root).Open(id);
        using var process = container.TryOpenProcess() ?? throw new UserException($"container {id} is not running");
        using var group = container.OpenCgroup() ?? throw new UserException($"container {id} has no control group of its own that would count");
        if (once)
        {
            Output.Write(UsageEvent.Stats(id, group.ReadUsage()));
            return 0;
        }

        Follow(id, group, process, interval);
        return 0;
    }

    static void Follow(string id, Cgroup group, FileDescriptor process, int interval)
    {
        using var memory = group.OpenOutOfMemoryEvents();
        Span<PollEntry> entries = stackalloc PollEntry[2];
        while (true)
        {
            Output.Write(UsageEvent.Stats(id, group.ReadUsage()));
            long next = Environment.TickCount64 + interval;
            for (long left = interval; left > 0; left = next - Environment.TickCount64)
            {
                entries[0] = new PollEntry { Number = process.Number, Wanted = PollEvents.Readable };
                entries[1] = new PollEntry { Number = memory.Descriptor.Number, Wanted = PollEvents.Readable };
                Polling.Wait(entries, (int)left);
                for (long? happened = entries[1].Happened != PollEvents.None ? memory.Take() : 0; happened > 0; happened--)
                {
                    Output.Write(UsageEvent.OutOfMemory(id));
                }

                if (entries[0].Happened != PollEvents.None)
                {
                    return;
                }
            }
        }
    }

    static int Milliseconds(string text)
    {
        var (number, unit) = text.EndsWith("ms", StringComparison.Ordinal) ? (text[..^2], 1) : text.EndsWith('m') ? (text[..^1], 60_000)
            : text.EndsWith('s') ? (text[..^1], 1000) : (text, 1000);
        return int.TryParse(number, out int count) && count > 0 && count <= 1000_000 ? count * unit : throw new UserException($"--interval is a duration such as 5s, not '{text}'");
    }
}

using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Supervisor;

/// <summary>What an app's annotations in the pod manifest say of how it is supervised.</summary>
/// <remarks>Those of rkt and appc by their names; what rkt had no names for begins with <c>nacelle/</c>.</remarks>
sealed record AppAnnotations
{
    const int DefaultStopTimeout = 10_000;

    /// <summary>OCI images say theirs, which becomes an annotation of this name.</summary>
    public Signal StopSignal { get; private init; } = Signal.Terminate;

    /// <summary>In milliseconds.</summary>
    public int StopTimeout { get; private init; } = DefaultStopTimeout;

    public RestartPolicy Restart { get; private init; } = RestartPolicy.Never;

    public bool SupportsNotify { get; private init; }

    public bool InputOnce { get; private init; }

    StreamMode? Input { get; init; }

    StreamMode? Output { get; init; }

    StreamMode? Error { get; init; }

    /// <exception cref="SpecException">A value is not one that the annotation takes.</exception>
    public static AppAnnotations Of(PodApp app)
    {
        var read = new AppAnnotations();
        foreach (var (name, value) in app.Annotations)
        {
            read = name switch
            {
                "nacelle/stop-signal" => read with { StopSignal = SignalNames.Parse(value) ?? throw Wrong("a signal such as SIGTERM") },
                "nacelle/stop-timeout" => read with
                {
                    StopTimeout = int.TryParse(value, out int seconds) && seconds is >= 0 and <= 1_000_000 ? seconds * 1000 : throw Wrong("a number of seconds"),
                },
                "nacelle/restart" => read with { Restart = RestartPolicy.TryParse(value) ?? throw Wrong("no, on-failure, on-failure:COUNT or always") },
                "nacelle/stdin-once" => read with { InputOnce = value == "true" },
                "appc.io/executor/supports-systemd-notify" => read with { SupportsNotify = value == "true" },
                "coreos.com/rkt/stage2/stdin" => read with { Input = Mode(input: true) },
                "coreos.com/rkt/stage2/stdout" => read with { Output = Mode(input: false) },
                "coreos.com/rkt/stage2/stderr" => read with { Error = Mode(input: false) },
                _ => read,
            };

            StreamMode Mode(bool input) => value switch
            {
                "null" => StreamMode.Null,
                "stream" => StreamMode.Stream,
                "tty" => StreamMode.Terminal,
                "interactive" => StreamMode.Interactive,
                "log" when !input => StreamMode.Log,
                _ => throw Wrong(input ? "null, stream, tty or interactive" : "log, null, stream, tty or interactive"),
            };

            SpecException Wrong(string wanted) => new($"apps[{app.Name}].annotations.{name}", $"'{value}' is not {wanted}");
        }

        return read;
    }

    /// <param name="interactive">The pod is connected to whoever runs it.</param>
    public StreamModes Streams(bool interactive) => new(
        Input ?? (interactive ? StreamMode.Interactive : StreamMode.Null),
        Output ?? (interactive ? StreamMode.Interactive : StreamMode.Log),
        Error ?? (interactive ? StreamMode.Interactive : StreamMode.Log),
        InputOnce);
}

using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Flavors;

/// <summary>What apps ask of who supervises them, and a flavor may not have: it is refused by name rather than passed over.</summary>
static class FlavorDemands
{
    /// <summary>Where the config's stop signal of an OCI image is kept.</summary>
    const string StopSignalAnnotation = "nacelle/stop-signal";

    static readonly string[] Supervision = ["nacelle/restart", "coreos.com/rkt/stage2/stdin", "coreos.com/rkt/stage2/stdout", "coreos.com/rkt/stage2/stderr"];

    /// <summary>The first demand on a supervisor that an app makes, for a message; null when it makes none.</summary>
    /// <param name="handlers">The flavor runs event handlers.</param>
    public static string? OnSupervisor(PodApp app, bool handlers = false) => !handlers && app.App?.EventHandlers.Count > 0 ? "event handlers"
        : app.Annotations.FirstOrDefault(one => Supervision.Contains(one.Name) && one.Value is not ("no" or "never" or "null" or "log")) is { } annotation ? $"{annotation.Name}={annotation.Value}"
        : null;

    /// <summary>The name of the first isolator of the pod as a whole; null when it has none.</summary>
    public static string? OnPod(PodManifest manifest) => manifest.Isolators.Count > 0 ? manifest.Isolators[0].Name : null;

    public static Signal StopSignal(PodApp app) =>
        app.Annotations.FirstOrDefault(one => one.Name == StopSignalAnnotation) is { } annotation ? SignalNames.Parse(annotation.Value) ?? Signal.Terminate : Signal.Terminate;
}

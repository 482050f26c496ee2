namespace Nacelle.Systemd;

/// <summary>A call over D-Bus failed: which, and what the other side said of it.</summary>
/// <param name="error">The error's D-Bus name, as in <c>org.freedesktop.systemd1.NoSuchUnit</c>; empty where no peer named one.</param>
public sealed class BusException(string operation, string error, string reason)
    : Exception($"{operation}: {reason}{(error.Length > 0 ? $" ({error})" : "")}")
{
    public string Error { get; } = error;
}

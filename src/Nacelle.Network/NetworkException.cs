namespace Nacelle.Network;

/// <summary>A network could not be set up, taken down or checked. See the CNI specification 1.1.0, section 5, "Error".</summary>
/// <param name="code">1 to 99 by the specification; a plug-in's own from 100.</param>
/// <param name="details">What a plug-in says beside its message; null for nothing.</param>
public sealed class NetworkException(int code, string message, string? details = null) : Exception(message)
{
    public const int IncompatibleVersion = 1, UnsupportedField = 2, UnknownContainer = 3, InvalidEnvironment = 4, InputOutput = 5, DecodingFailure = 6, InvalidConfiguration = 7, TryAgainLater = 11;

    /// <summary>For STATUS.</summary>
    public const int NotAvailable = 50, LimitedConnectivity = 51;

    /// <summary>What the specification has no code for, as with libcni.</summary>
    public const int Internal = 999;

    public int Code => code;

    public string? Details => details;
}

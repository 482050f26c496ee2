namespace Nacelle.Flavors;

/// <summary>A flavor cannot do what it was started for; the message is one line for a person.</summary>
sealed class FlavorException(string message) : Exception(message);

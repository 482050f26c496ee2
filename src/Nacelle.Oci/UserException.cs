namespace Nacelle.Oci;

/// <summary>What was asked for cannot be done; the message is one line for a person, or an engine's log.</summary>
sealed class UserException(string message) : Exception(message);

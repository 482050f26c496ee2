namespace Nacelle.Supervisor;

/// <summary>Stage1 cannot do what it was started for; the message is one line for a person.</summary>
sealed class Stage1Exception(string message) : Exception(message);

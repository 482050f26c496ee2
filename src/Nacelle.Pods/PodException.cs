namespace Nacelle.Pods;

/// <summary>A pod cannot be made, found or changed as asked; the message is one line for a person.</summary>
public sealed class PodException(string message) : Exception(message);

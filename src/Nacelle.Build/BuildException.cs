namespace Nacelle.Build;

/// <summary>A build cannot go on; the message is the rest of a line that begins with the Containerfile's name and the instruction's line.</summary>
public sealed class BuildException(string message) : Exception(message);

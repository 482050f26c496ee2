namespace Nacelle.Images;

/// <summary>An image could not be found, fetched, read or removed; the message is one line for a person.</summary>
public sealed class ImageException : Exception
{
    public ImageException(string message)
        : base(message)
    {
    }

    public ImageException(string message, Exception cause)
        : base(message, cause)
    {
    }
}

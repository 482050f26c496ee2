using Nacelle.Linux;

namespace Nacelle.Images;

/// <summary>Refuses what the disk has no room for before any of it is written.</summary>
static class FreeSpace
{
    /// <param name="place">A file or directory of the file system that is meant.</param>
    /// <param name="bytes">How many are needed at least.</param>
    /// <param name="what">For the message.</param>
    /// <exception cref="ImageException">There is not so much room.</exception>
    public static void Require(FileDescriptor place, decimal bytes, string what)
    {
        ulong free = Files.FreeBytes(place);
        if (bytes > free)
        {
            throw new ImageException($"{what} needs {bytes} bytes, and the file system of {place} has {free} left");
        }
    }
}

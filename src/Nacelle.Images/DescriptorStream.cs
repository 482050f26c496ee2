using Nacelle.Linux;

namespace Nacelle.Images;

/// <summary>Writes to a file from where it stands; the descriptor stays its owner's.</summary>
sealed class DescriptorStream(FileDescriptor file) : WriteOnlyStream
{
    public override void Write(ReadOnlySpan<byte> buffer) => Files.Write(file, buffer);
}

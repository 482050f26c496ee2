using Nacelle.Linux;

namespace Nacelle.Images;

/// <summary>Writes to a file from where it stands; the descriptor stays its owner's.</summary>
public sealed class DescriptorStream(FileDescriptor file) : WriteOnlyStream
{
    public override void Write(ReadOnlySpan<byte> buffer) => Files.Write(file, buffer);
}

/// <summary>Reads from a file, or a pipe, from where it stands; the descriptor stays its owner's.</summary>
public sealed class DescriptorSource(FileDescriptor file) : ReadOnlyStream
{
    public override int Read(Span<byte> buffer) => Files.Read(file, buffer);
}

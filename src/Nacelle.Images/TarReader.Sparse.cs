namespace Nacelle.Images;

/// <summary>Where the data of sparse files lies, in the formats that differ in where they say so: see <see cref="TarSparseHeader"/>.</summary>
public sealed partial class TarReader
{
    void ReadOldSparse(TarHeader header)
    {
        var segments = new List<TarSegment>();
        bool more = header.SparseContinues, sound = TarSparse.TryReadFields(header.SparseFields, segments);
        Entry.Size = Number(header.RealSizeField, "real size");
        for (int length = TarHeader.Size; sound && more; length += TarHeader.Size)
        {
            if (length > limits.HeaderBytes)
            {
                throw Fault($"has a map of holes of more than {limits.HeaderBytes} bytes");
            }

            if (!TryReadBlock(out var block))
            {
                throw Fault("is cut off: the archive ends within its map of holes");
            }

            sound = TarSparse.TryReadFields(block[..504], segments);
            more = block[504] != 0;
        }

        Entry.Segments = sound ? segments : throw Fault("has a malformed map of holes");
    }

    void ReadSparse(TarSparseHeader sparse)
    {
        Entry.Size = sparse.RealSize!.Value;
        Entry.Segments = [.. sparse.Segments];
        if (sparse.Major == 0)
        {
            return;
        }

        var map = new TarSparseMap();
        for (int length = 0; !map.IsComplete; length += TarHeader.Size)
        {
            if (length > limits.HeaderBytes)
            {
                throw Fault($"has a map of holes of more than {limits.HeaderBytes} bytes");
            }

            if (remaining < TarHeader.Size)
            {
                throw Fault("has a malformed map of holes");
            }

            if (!TryReadBlock(out var block))
            {
                throw Fault("is cut off: the archive ends within its map of holes");
            }

            remaining -= TarHeader.Size;
            if (!map.TryRead(block))
            {
                throw Fault("has a malformed map of holes");
            }
        }

        Entry.Segments = map.Segments;
    }
}

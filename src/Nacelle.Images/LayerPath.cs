using Nacelle.Linux;

namespace Nacelle.Images;

/// <summary>A path that an archive names, checked: split into a directory and a last component, both relative to the layer's root.</summary>
readonly ref struct LayerPath
{
    const int LongestComponent = 255;

    LayerPath(ReadOnlySpan<byte> directory, ReadOnlySpan<byte> name)
    {
        Directory = directory;
        Name = name;
    }

    /// <summary>May have superfluous slashes and "." in it.</summary>
    public ReadOnlySpan<byte> Directory { get; }

    /// <summary>Empty for the root itself.</summary>
    public ReadOnlySpan<byte> Name { get; }

    /// <summary>Absolute paths count from the layer's root; ".." is refused even where it would stay inside.</summary>
    /// <param name="path">As it stands in the archive.</param>
    /// <param name="entry">For messages.</param>
    /// <param name="rule">What is said of a path that climbs: an entry's own or a hard link's.</param>
    public static LayerPath Check(ReadOnlySpan<byte> path, TarEntry entry, string rule)
    {
        while (path.EndsWith("/"u8) || path.EndsWith("/."u8) || path.SequenceEqual("."u8))
        {
            path = path[..^1];
        }

        foreach (var range in path.Split((byte)'/'))
        {
            var component = path[range];
            if (component.SequenceEqual(".."u8))
            {
                throw new LayerException(entry.ToString(), rule);
            }

            if (component.Length > LongestComponent)
            {
                throw new LayerException(entry.ToString(), $"has a component of {component.Length} bytes: a name has at most {LongestComponent}");
            }
        }

        int slash = path.LastIndexOf((byte)'/');
        return slash < 0 ? new LayerPath([], path) : new LayerPath(path[..slash], path[(slash + 1)..]);
    }

    /// <summary>A whiteout's name where a directory should be: aufs metadata, or nothing that could exist.</summary>
    public WhiteoutKind DirectoryWhiteout()
    {
        if (Directory.IndexOf(".wh."u8) < 0)
        {
            return WhiteoutKind.None;
        }

        foreach (var range in Directory.Split((byte)'/'))
        {
            var kind = Whiteout.Recognize(Directory[range], out _);
            if (kind != WhiteoutKind.None)
            {
                return kind == WhiteoutKind.Metadata ? kind : WhiteoutKind.Invalid;
            }
        }

        return WhiteoutKind.None;
    }
}

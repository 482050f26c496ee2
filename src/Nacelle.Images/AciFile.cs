using Nacelle.Linux;

namespace Nacelle.Images;

/// <summary>Tells ACIs from other archives on this machine.</summary>
static class AciFile
{
    // The first entries tell: a manifest, or something below rootfs. Layouts and docker's archives have neither.
    const int EntriesToLookAt = 4;

    /// <returns>The file, when it ends in <c>.aci</c> or looks like an ACI inside; null otherwise. The caller disposes it.</returns>
    public static FileDescriptor? TryOpen(string path)
    {
        var file = Files.TryOpen(FileDescriptor.WorkingDirectory, path, OpenFlags.ReadOnly, out _);
        if (file is not null && Files.Status(file).Kind == FileKind.Regular && (path.EndsWith(".aci", StringComparison.Ordinal) || LooksLikeOne(file)))
        {
            return file;
        }

        file?.Dispose();
        return null;
    }

    static bool LooksLikeOne(FileDescriptor file)
    {
        using var content = new FileRangeStream(file, 0, Files.Status(file).Size, owned: false);
        try
        {
            using var archive = AciDecompression.Open(content);
            using var reader = new TarReader(archive, UnpackLimits.Default);
            for (int i = 0; i < EntriesToLookAt && reader.MoveNext(); i++)
            {
                var name = reader.Entry.ToString();
                if (name.StartsWith("./", StringComparison.Ordinal))
                {
                    name = name[2..];
                }

                if (name is "manifest" or "rootfs" || name.StartsWith("rootfs/", StringComparison.Ordinal))
                {
                    return true;
                }
            }
        }
        catch (Exception failure) when (failure is LayerException || AciDecompression.IsDamage(failure))
        {
            // Whatever it is, others have a clearer word for what is wrong with it.
        }

        return false;
    }
}

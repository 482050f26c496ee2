using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Oci;

/// <summary>HOME, which programs expect and configurations often leave out: from the container's own /etc/passwd.</summary>
static class HomeDirectory
{
    public static RuntimeProcess AddTo(RuntimeProcess process, FileDescriptor rootfs) =>
        process.Env.Any(variable => variable.StartsWith("HOME=", StringComparison.Ordinal)) ? process
        : process with { Env = [.. process.Env, $"HOME={Find(process.User.Uid, rootfs)}"] };

    static string Find(uint user, FileDescriptor rootfs)
    {
        const int Uid = 2, Home = 5;
        using var file = Files.TryOpen(rootfs, "etc/passwd", OpenFlags.ReadOnly | OpenFlags.NonBlocking, out _, resolve: ResolveFlags.InRoot | ResolveFlags.NoMagicLinks);
        if (file is not null && Files.Status(file).Kind == FileKind.Regular)
        {
            foreach (var line in System.Text.Encoding.UTF8.GetString(Files.ReadToEnd(file)).Split('\n'))
            {
                var fields = line.Split(':');
                if (fields.Length > Home && fields[Uid] == $"{user}" && fields[Home].StartsWith('/'))
                {
                    return fields[Home];
                }
            }
        }

        return "/";
    }
}

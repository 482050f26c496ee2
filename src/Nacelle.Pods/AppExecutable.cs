using System.Buffers.Binary;
using Nacelle.Containers;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Pods;

/// <summary>Sees before a pod starts whether its apps' programs can be run, and says what is missing: the file, its interpreter, or the right to run it.</summary>
/// <remarks>The kernel would say ENOENT for all of these, and only after everything is set up.</remarks>
static class AppExecutable
{
    const ResolveFlags Inside = ResolveFlags.InRoot | ResolveFlags.NoMagicLinks;

    /// <param name="explain">Told of a file that cannot be read (EIO); throws where it knows why.</param>
    public static void Check(FileDescriptor rootfs, PodApp app, RuntimeConfig bundle, Action<string> explain)
    {
        var process = bundle.Process!;
        var program = process.Args[0];
        var problem = $"{program} is not in the image";
        foreach (var candidate in ContainerPlan.ProgramCandidates(process))
        {
            var path = candidate.StartsWith('/') ? candidate : $"{process.Cwd.TrimEnd('/')}/{candidate}";
            if (bundle.Mounts.Any(mount => mount.Type == "bind" && (path == mount.Destination || IsBelow(path, mount.Destination))))
            {
                return; // in a volume, which is not mounted yet
            }

            using var file = TryOpen(rootfs, path, explain);
            if (file is null)
            {
                continue;
            }

            var status = Files.Status(file);
            if (status.Kind != FileKind.Regular || (status.Permissions & 0x49) == 0)
            {
                problem = $"{path} is not an executable file";
                continue;
            }

            if (MissingInterpreter(rootfs, file, path, explain) is { } interpreter)
            {
                throw new PodException($"app {app.Name}: {path} needs {interpreter}, which is not in the image");
            }

            return;
        }

        throw new PodException($"app {app.Name}: {problem}{(program.Contains('/') ? "" : $" (looked in {PathOf(process)})")}");
    }

    static string? MissingInterpreter(FileDescriptor rootfs, FileDescriptor file, string path, Action<string> explain)
    {
        var head = new byte[4096];
        try
        {
            var interpreter = InterpreterOf(head.AsSpan(0, Files.Read(file, head)));
            using var opened = interpreter is null ? null : TryOpen(rootfs, interpreter, explain);
            return opened is null ? interpreter : null;
        }
        catch (KernelException failure) when (failure.Errno == Errno.EIO)
        {
            explain(path);
            throw;
        }
    }

    static FileDescriptor? TryOpen(FileDescriptor rootfs, string path, Action<string> explain)
    {
        var file = Files.TryOpen(rootfs, path.TrimStart('/'), OpenFlags.ReadOnly | OpenFlags.NonBlocking, out var error, resolve: Inside);
        if (error == Errno.EIO)
        {
            explain(path);
            throw new KernelException($"open {path}", error);
        }

        return file;
    }

    /// <summary>What a "#!" line or an ELF file's PT_INTERP segment asks for. See execve(2) and elf(5).</summary>
    static string? InterpreterOf(ReadOnlySpan<byte> head)
    {
        if (head.StartsWith("#!"u8))
        {
            var line = head[2..];
            int end = line.IndexOf((byte)'\n');
            var words = KernelString.Decode(end < 0 ? line : line[..end]).Trim().Split([' ', '\t'], 2);
            return words[0].StartsWith('/') ? words[0] : null;
        }

        bool is64 = head.Length > 64 && head.StartsWith("\x7F"u8) && head[1..].StartsWith("ELF"u8) && head[4] == 2 && head[5] == 1;
        if (!is64)
        {
            return null;
        }

        ulong table = BinaryPrimitives.ReadUInt64LittleEndian(head[32..]);
        int size = BinaryPrimitives.ReadUInt16LittleEndian(head[54..]);
        int count = BinaryPrimitives.ReadUInt16LittleEndian(head[56..]);
        for (int i = 0; i < count && size >= 56 && table < 4096 && table + (ulong)((i + 1) * size) <= (ulong)head.Length; i++)
        {
            var entry = head[(int)(table + (ulong)(i * size))..];
            const uint PT_INTERP = 3;
            ulong offset = BinaryPrimitives.ReadUInt64LittleEndian(entry[8..]);
            ulong length = BinaryPrimitives.ReadUInt64LittleEndian(entry[32..]);
            if (BinaryPrimitives.ReadUInt32LittleEndian(entry) == PT_INTERP && length is > 1 and < 4096 && offset < 4096 && offset + length <= (ulong)head.Length)
            {
                return KernelString.Decode(head.Slice((int)offset, (int)length - 1));
            }
        }

        return null;
    }

    static bool IsBelow(string path, string directory) => path.StartsWith(directory.TrimEnd('/') + "/", StringComparison.Ordinal);

    static string PathOf(RuntimeProcess process) =>
        process.Env.LastOrDefault(variable => variable.StartsWith("PATH=", StringComparison.Ordinal))?[5..] ?? "the standard PATH";
}

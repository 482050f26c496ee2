using System.Security.Cryptography;
using System.Text;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Images;

/// <summary>The hash of a whole tree: names, kinds, modes, owners, times, attributes, link targets, devices, and the bytes of all files.</summary>
/// <remarks>Of our own making: it only ever meets another of its kind, of the same layer unpacked elsewhere or at another time.</remarks>
public sealed class LayerHash
{
    const OpenFlags DirectoryFlags = OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow;

    readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    readonly Dictionary<(ulong Inode, DeviceNumber FileSystem), string> links = [];
    readonly byte[] buffer = new byte[256 * 1024];
    readonly CancellationToken cancellation;

    LayerHash(CancellationToken cancellation) => this.cancellation = cancellation;

    /// <param name="root">Not O_PATH; read to its last file.</param>
    public static Digest Of(FileDescriptor root, CancellationToken cancellation = default)
    {
        var tree = new LayerHash(cancellation);
        using (tree.hash)
        {
            tree.Add(root, "", Files.Status(root));
            tree.AddContent(root, "");
            return Digest.Sha256(tree.hash.GetHashAndReset());
        }
    }

    void AddContent(FileDescriptor directory, string prefix)
    {
        foreach (var (name, _) in Directories.List(directory).OrderBy(entry => entry.Name, StringComparer.Ordinal))
        {
            cancellation.ThrowIfCancellationRequested();
            var (path, status) = (prefix + name, Files.Status(directory, name));
            switch (status.Kind)
            {
                case FileKind.Directory:
                    using (var inner = Files.Open(directory, name, DirectoryFlags))
                    {
                        Add(inner, path, status);
                        AddContent(inner, path + "/");
                    }

                    break;
                case FileKind.Regular:
                    using (var file = Files.Open(directory, name, OpenFlags.ReadOnly | OpenFlags.NoFollow))
                    {
                        AddText(Describe(path, status));
                        AddAttributes(directory, name);
                        AddFile(file, path, status);
                    }

                    break;
                case FileKind.CharacterDevice when status.DeviceNumber == default:
                    AddText($"{path}\0whiteout"); // which has no attributes that anybody sees
                    break;
                default:
                    AddText($"{Describe(path, status)} {(status.Kind == FileKind.Symlink ? Files.ReadLink(directory, name) : status.DeviceNumber.ToString())}");
                    AddAttributes(directory, name);
                    break;
            }
        }
    }

    void Add(FileDescriptor file, string path, FileStatus status)
    {
        AddText(Describe(path, status));
        AddAttributes(file, ".");
    }

    void AddFile(FileDescriptor file, string path, FileStatus status)
    {
        // A further name of a file that has been read: which one, is what there is to say.
        if (status.Links > 1 && !links.TryAdd((status.Inode, status.FileSystem), path))
        {
            AddText(links[(status.Inode, status.FileSystem)]);
            return;
        }

        AddText(status.Size.ToString(System.Globalization.CultureInfo.InvariantCulture));
        for (int count; (count = Files.Read(file, buffer)) > 0;)
        {
            cancellation.ThrowIfCancellationRequested();
            hash.AppendData(buffer, 0, count);
        }
    }

    /// <param name="name">Relative to the descriptor; "." for itself where it is a directory.</param>
    void AddAttributes(FileDescriptor at, string name)
    {
        // SELinux labels are the machine's, not the layer's.
        foreach (var attribute in ExtendedAttributes.List(at, name).Where(one => one != "security.selinux").Order(StringComparer.Ordinal))
        {
            AddText(attribute);
            hash.AppendData(ExtendedAttributes.Get(at, name, attribute) ?? []);
        }
    }

    static string Describe(string path, FileStatus status) =>
        $"{path}\0{status.Kind} {status.Permissions} {status.Owner}:{status.Group} {status.ModificationTime.Seconds}.{status.ModificationTime.Nanoseconds}";

    /// <summary>With its length, so that no two sequences of texts run into the same bytes.</summary>
    void AddText(string text)
    {
        var bytes = KernelString.Encode(text);
        hash.AppendData(Encoding.ASCII.GetBytes($"{bytes.Length}:"));
        hash.AppendData(bytes);
    }
}

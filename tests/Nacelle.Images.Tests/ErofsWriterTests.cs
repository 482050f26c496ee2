using CsCheck;
using Nacelle.Linux;

namespace Nacelle.Images.Tests;

/// <summary>What is written as an EROFS image, the kernel shows as the tree it was, and erofs-utils find nothing wrong with it.</summary>
public sealed class ErofsWriterTests : IDisposable
{
    readonly LayerScratch scratch = new();

    public void Dispose() => scratch.Dispose();

    /// <summary>Reads a directory with all its content.</summary>
    static ErofsInode Read(FileDescriptor directory, Dictionary<ulong, ErofsInode>? links = null)
    {
        links ??= [];
        var inode = Describe(Files.Status(directory), directory, ".");
        foreach (var (name, _) in Directories.List(directory))
        {
            var status = Files.Status(directory, name);
            if (status.Kind == FileKind.Directory)
            {
                using var child = Files.Open(directory, name, OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow);
                inode.Entries.Add((KernelString.Encode(name), Read(child, links)));
                continue;
            }

            var known = links.GetValueOrDefault(status.Inode) ?? Describe(status, directory, name, status.Kind switch
            {
                FileKind.Regular => Files.ReadAll(directory, name),
                FileKind.Symlink => KernelString.Encode(Files.ReadLink(directory, name)),
                _ => null,
            });
            links[status.Inode] = known;
            inode.Entries.Add((KernelString.Encode(name), known));
        }

        return inode;
    }

    static ErofsInode Describe(FileStatus status, FileDescriptor at, string name, byte[]? content = null)
    {
        var inode = new ErofsInode
        {
            Mode = status.Mode, Owner = status.Owner, Group = status.Group, ModificationTime = status.ModificationTime, Device = status.DeviceNumber, Content = content,
        };
        inode.Attributes.AddRange(ExtendedAttributes.List(at, name).Select(attribute => new TarAttribute(attribute, ExtendedAttributes.Get(at, name, attribute)!)));
        return inode;
    }

    string Write(ErofsInode root, string name = "image")
    {
        using (var stream = File.Create($"{scratch.Path}/{name}"))
        {
            ErofsWriter.Write(root, stream);
        }

        return $"{scratch.Path}/{name}";
    }

    FileDescriptor Mount(string image)
    {
        Assert.SkipUnless(Processes.IsRoot, "mounting takes root");
        using var file = Files.Open(image, OpenFlags.ReadOnly);
        try
        {
            using var mount = Mounts.NewFileSystem("erofs", [$"source={file.ProcPath}"], MountAttributes.ReadOnly);
            return Files.Open(mount, ".", OpenFlags.ReadOnly | OpenFlags.Directory);
        }
        catch (KernelException missing) when (missing.Errno is Errno.ENODEV or Errno.ENOTBLK)
        {
            Assert.Skip($"the kernel mounts no EROFS from files: {missing.Message}");
            throw;
        }
    }

    void ShowsAsItWas(string script)
    {
        Assert.SkipUnless(Processes.IsRoot, "owners and devices are root's to make");
        scratch.Shell($"mkdir tree; cd tree; {script}");
        var tree = scratch.Make("tree");
        var image = Write(Read(tree));
        using (var mounted = Mount(image))
        {
            Assert.Equal(LayerSnapshot.Of(tree), LayerSnapshot.Of(mounted));
        }

        if (File.Exists("/usr/bin/fsck.erofs"))
        {
            scratch.Shell("fsck.erofs image");
        }
    }

    [Fact]
    public void Every_kind_of_file_with_its_owner_mode_time_and_content() => ShowsAsItWas(
        """
        mkdir -p a/b empty; echo text >a/file; : >a/nothing; ln a/file a/b/again; ln -s ../file a/b/link; mkfifo pipe; mknod null c 1 3; mknod big b 259 70000; mknod gone c 0 0
        chown 1000:4000000000 a/file; chmod 4755 a/file; chmod 1777 empty; touch -d '2001-02-03 04:05:06.123456789' a/file a; touch -d '1960-01-01' pipe
        """);

    [Theory]
    [InlineData(1)]
    [InlineData(4032)]
    [InlineData(4033)]
    [InlineData(4095)]
    [InlineData(4096)]
    [InlineData(4097)]
    [InlineData(12288)]
    [InlineData(1000000)]
    public void Content_of_any_length(int length) => ShowsAsItWas($"for i in 1 2 3; do seq 1 1000000 | head -c {length} >file$i; setfattr -n user.n -v $i file$i; done");

    [Theory]
    [InlineData(58)]
    [InlineData(59)]
    [InlineData(4000)]
    [InlineData(4095)]
    public void Symlinks_of_any_length(int length) => ShowsAsItWas($"ln -s $(head -c {length} /dev/zero | tr '\\0' x) link; ln -s short other");

    [Fact]
    public void Directories_larger_than_a_block() => ShowsAsItWas("mkdir many; cd many; for i in $(seq 1 700); do : >a-file-with-number-$i; done; mkdir $(seq 1 300); : >!; : >-; : >.hidden; : >..more; touch '~'; : >$(printf '\\377\\376')");

    [Fact]
    public void Names_of_all_lengths() => ShowsAsItWas("for i in $(seq 1 255); do : >$(head -c $i /dev/zero | tr '\\0' n); done");

    [Fact]
    public void Extended_attributes_of_all_kinds() => ShowsAsItWas(
        """
        echo x >file; mkdir directory; ln -s file link
        setfattr -n user.a -v 1 file; setfattr -n user.empty file; setfattr -n trusted.t -v two file; setfattr -n trusted.overlay.opaque -v y directory
        setcap cap_net_raw+ep file; acl=0x0200000001000600ffffffff02000400e803000004000400ffffffff10000400ffffffff20000400ffffffff
        setfattr -n system.posix_acl_access -v $acl file; setfattr -n system.posix_acl_default -v $acl directory
        for i in $(seq 1 20); do setfattr -n user.long$i -v $(head -c 150 /dev/zero | tr '\0' v) file; done
        """);

    [Fact]
    public void A_file_whose_content_lies_elsewhere_has_its_length_and_reads_as_zeros()
    {
        foreach (var length in new long[] { 1, 4096, 4097, 123_456_789_012 })
        {
            var root = new ErofsInode { Mode = 0x41ED };
            root.Entries.Add(("file"u8.ToArray(), new ErofsInode { Mode = 0x81A4, Hole = length }));
            using var mounted = Mount(Write(root));
            using var file = Files.Open(mounted, "file", OpenFlags.ReadOnly);
            Assert.Equal(length, Files.Status(file).Size);
            var buffer = new byte[10000];
            Array.Fill(buffer, (byte)1);
            int count = Files.Read(file, buffer);
            Assert.Equal(Math.Min(length, buffer.Length), count);
            Assert.False(buffer.AsSpan(0, count).ContainsAnyExcept((byte)0));
        }
    }

    [Fact]
    public void The_same_tree_gives_the_same_bytes()
    {
        scratch.Shell("mkdir tree; cd tree; mkdir a b c; for i in $(seq 1 40); do echo $i >a/$i; ln a/$i b/$i; done; ln -s x c/link");
        var first = File.ReadAllBytes(Write(Read(scratch.Make("tree"))));
        scratch.Shell("cp -a tree copy; mv copy/a/17 copy/x; mv copy/x copy/a/17; touch -r tree copy; touch -r tree/a copy/a");
        Assert.Equal(first, File.ReadAllBytes(Write(Read(scratch.Make("copy")), "second")));
    }

    [Fact]
    public void Trees_of_any_shape() => Gen.Select(
        Gen.String[Gen.Char["ab.-/~\u00e9"], 1, 12].Array[0, 60], Gen.Int[0, 9000].Array[60], Gen.Int[0, 500].Array[60]).Sample(
        (paths, lengths, attributes) =>
        {
            var root = new ErofsInode { Mode = 0x41ED };
            var expected = new SortedDictionary<string, byte[]>(StringComparer.Ordinal);
            for (int i = 0; i < paths.Length; i++)
            {
                var parts = paths[i].Split('/', StringSplitOptions.RemoveEmptyEntries).Where(part => part is not ("." or "..")).ToArray();
                var directory = root;
                foreach (var part in parts.SkipLast(1).TakeWhile(_ => directory.Kind == FileKind.Directory))
                {
                    var next = directory.Entries.FirstOrDefault(entry => entry.Name.SequenceEqual(KernelString.Encode(part))).Inode;
                    if (next is null)
                    {
                        directory.Entries.Add((KernelString.Encode(part), next = new ErofsInode { Mode = 0x41ED }));
                    }

                    directory = next;
                }

                if (parts.Length > 0 && directory.Kind == FileKind.Directory && directory.Entries.All(entry => !entry.Name.SequenceEqual(KernelString.Encode(parts[^1]))))
                {
                    var content = new byte[lengths[i]];
                    new Random(i).NextBytes(content);
                    var file = new ErofsInode { Mode = 0x81A4, Content = content, Attributes = { new TarAttribute("user.x", new byte[attributes[i]]) } };
                    directory.Entries.Add((KernelString.Encode(parts[^1]), file));
                    expected.Add(string.Join('/', parts), content);
                }
            }

            using var mounted = Mount(Write(root, Guid.NewGuid().ToString()));
            foreach (var (path, content) in expected)
            {
                Assert.Equal(content, Files.ReadAll(mounted, path));
            }
        },
        iter: 40);
}

using Nacelle.Linux;

namespace Nacelle.Kernel.Tests;

/// <summary>The promises that everything above the kernel layer builds on.</summary>
public class FileTests
{
    [Theory]
    [InlineData("/etc/passwd")]
    [InlineData("../../../etc/passwd")]
    [InlineData("absolute/passwd")]
    [InlineData("climbing/passwd")]
    public void A_path_resolved_in_a_root_stays_in_it(string path)
    {
        using var directory = new TemporaryDirectory();
        Files.MakeDirectory(directory.Descriptor, "etc");
        Files.WriteAll(directory.Descriptor, "etc/passwd", "inside");
        Files.MakeSymlink("/etc", directory.Descriptor, "absolute");
        Files.MakeSymlink("../../../../etc", directory.Descriptor, "climbing");
        Assert.Equal("inside", Files.TryReadText(directory.Descriptor, path, ResolveFlags.InRoot));
    }

    [Fact]
    public void A_path_that_leads_out_from_beneath_is_refused()
    {
        using var directory = new TemporaryDirectory();
        Files.MakeSymlink("/etc", directory.Descriptor, "out");
        Assert.Null(Files.TryOpen(directory.Descriptor, "out/passwd", OpenFlags.ReadOnly, out var error, resolve: ResolveFlags.Beneath));
        Assert.Equal(Errno.EXDEV, error);
    }

    [Fact]
    public void Magic_links_can_be_refused()
    {
        Assert.Null(Files.TryOpen(FileDescriptor.WorkingDirectory, "/proc/self/exe", OpenFlags.ReadOnly, out var error, resolve: ResolveFlags.NoMagicLinks));
        Assert.Equal(Errno.ELOOP, error);
    }

    [Fact]
    public void Every_opened_descriptor_is_close_on_exec()
    {
        using var file = Files.Open("/dev/null", OpenFlags.ReadOnly);
        using var copy = file.Duplicate();
        var (read, write) = Files.CreatePipe("pipe");
        using var memory = Files.CreateInMemory("memory");
        foreach (var descriptor in new[] { file, copy, read, write, memory })
        {
            Assert.False(descriptor.Inherited, descriptor.Description);
        }

        read.Dispose();
        write.Dispose();
    }

    [Fact]
    public void A_name_that_is_not_UTF_8_survives()
    {
        using var directory = new TemporaryDirectory();
        string name = KernelString.Decode([0x61, 0xFF, 0x80, 0x62]);
        Files.WriteAll(directory.Descriptor, name, "x");
        Assert.Equal(name, Assert.Single(Directories.List(directory.Descriptor)).Name);
        Assert.Equal("x", Files.TryReadText(directory.Descriptor, name));
    }

    [Fact]
    public void A_replaced_file_is_whole_and_its_temporary_gone()
    {
        using var directory = new TemporaryDirectory();
        Files.Replace(directory.Descriptor, "file", "one"u8);
        Files.Replace(directory.Descriptor, "file", "two"u8);
        Assert.Equal("two", Files.TryReadText(directory.Descriptor, "file"));
        Assert.Equal("file", Assert.Single(Directories.List(directory.Descriptor)).Name);
    }

    [Fact]
    public void A_symlink_in_a_tree_is_removed_and_not_followed()
    {
        using var directory = new TemporaryDirectory();
        Files.MakeDirectory(directory.Descriptor, "kept");
        Files.WriteAll(directory.Descriptor, "kept/file", "x");
        Files.MakeDirectory(directory.Descriptor, "tree");
        Files.MakeSymlink("../kept", directory.Descriptor, "tree/link");
        Assert.True(Directories.RemoveTree(directory.Descriptor, "tree"));
        Assert.False(Directories.RemoveTree(directory.Descriptor, "tree"));
        Assert.Equal("x", Files.TryReadText(directory.Descriptor, "kept/file"));
    }

    [KernelFact]
    public void Removing_a_tree_stops_at_a_mount_and_says_so()
    {
        using var directory = new TemporaryDirectory();
        Files.EnsureDirectories($"{directory.Path}/tree/mounted").Dispose();
        using var mount = System.Diagnostics.Process.Start("mount", ["-t", "tmpfs", "tmpfs", $"{directory.Path}/tree/mounted"]);
        mount.WaitForExit();
        Assert.SkipUnless(mount.ExitCode == 0, "cannot mount a tmpfs");
        try
        {
            Files.WriteAll(directory.Descriptor, "tree/mounted/file", "x");
            Assert.Equal(Errno.EBUSY, Assert.Throws<KernelException>(() => Directories.RemoveTree(directory.Descriptor, "tree")).Errno);
            Assert.Equal("x", Files.TryReadText(directory.Descriptor, "tree/mounted/file"));
        }
        finally
        {
            using var unmount = System.Diagnostics.Process.Start("umount", [$"{directory.Path}/tree/mounted"]);
            unmount.WaitForExit();
        }
    }

    [KernelFact]
    public void A_binary_attribute_comes_back_as_it_was()
    {
        using var directory = new TemporaryDirectory();
        Files.WriteAll(directory.Descriptor, "file", "x");
        byte[] value = [1, 0, 0, 2, 0x80, 0xFF, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        ExtendedAttributes.Set(directory.Descriptor, "file", "trusted.nacelle", value);
        Assert.Equal(value, ExtendedAttributes.Get(directory.Descriptor, "file", "trusted.nacelle"));
        Assert.Equal(["trusted.nacelle"], ExtendedAttributes.List(directory.Descriptor, "file").Where(name => name.StartsWith("trusted.nacelle", StringComparison.Ordinal)));
        Assert.Null(ExtendedAttributes.Get(directory.Descriptor, "file", "trusted.other"));
    }

    [Fact]
    public void A_lock_belongs_to_the_opening_and_not_to_the_descriptor()
    {
        using var directory = new TemporaryDirectory();
        Files.WriteAll(directory.Descriptor, "lock", "");
        using var other = Files.Open(directory.Descriptor, "lock", OpenFlags.ReadOnly);
        using (var holder = Files.Open(directory.Descriptor, "lock", OpenFlags.ReadOnly))
        {
            FileLock.Acquire(holder, LockKind.Exclusive);
            using var copy = holder.Duplicate();
            Assert.True(FileLock.TryAcquire(copy, LockKind.Exclusive));
            Assert.False(FileLock.TryAcquire(other, LockKind.Shared));
        }

        Assert.True(FileLock.TryAcquire(other, LockKind.Exclusive));
    }

    [Fact]
    public void A_failure_says_what_was_tried_on_what_and_why()
    {
        using var directory = new TemporaryDirectory();
        var failure = Assert.Throws<KernelException>(() => Files.Open(directory.Descriptor, "missing", OpenFlags.ReadOnly));
        Assert.Equal($"open {directory.Path}/missing: ENOENT (No such file or directory)", failure.Message);
    }
}

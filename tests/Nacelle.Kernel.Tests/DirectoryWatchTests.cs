using Nacelle.Linux;

namespace Nacelle.Kernel.Tests;

public sealed class DirectoryWatchTests
{
    [Fact]
    public void Changes_are_told_in_their_order_with_their_names()
    {
        using var directory = new TemporaryDirectory();
        using var at = Files.Open(directory.Path, OpenFlags.Path | OpenFlags.Directory);
        Files.MakeDirectory(at, "here");
        using var watch = new DirectoryWatch();
        int number = watch.TryAdd(at, "here", DirectoryChanges.Created | DirectoryChanges.Deleted | DirectoryChanges.MovedHere | DirectoryChanges.Written)!.Value;
        Assert.Empty(watch.Read());
        Files.WriteAll(at, "here/file", "content");
        Files.WriteAll(at, "elsewhere", "");
        Files.Rename(at, "elsewhere", at, "here/a name with blanks");
        Files.Unlink(at, "here/file");
        var changes = watch.Read();
        Assert.All(changes, change => Assert.Equal(number, change.Watch));
        Assert.Equal(
            [(DirectoryChanges.Created, "file"), (DirectoryChanges.Written, "file"), (DirectoryChanges.MovedHere, "a name with blanks"), (DirectoryChanges.Deleted, "file")],
            changes.Select(change => (change.Kind, change.Name)));
        Assert.Null(watch.TryAdd(at, "nowhere", DirectoryChanges.Created));
        Assert.Null(watch.TryAdd(at, "here/a name with blanks", DirectoryChanges.Created));
    }

    [Fact]
    public void More_than_fits_at_once_comes_whole()
    {
        using var directory = new TemporaryDirectory();
        using var at = Files.Open(directory.Path, OpenFlags.Path | OpenFlags.Directory);
        using var watch = new DirectoryWatch();
        watch.TryAdd(at, "", DirectoryChanges.Created);
        for (int i = 0; i < 2000; i++)
        {
            Files.MakeDirectory(at, $"directory-{i}");
        }

        Assert.Equal(Enumerable.Range(0, 2000).Select(i => $"directory-{i}"), watch.Read().Select(change => change.Name));
    }
}

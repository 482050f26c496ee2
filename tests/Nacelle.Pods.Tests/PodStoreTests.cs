using Nacelle.Linux;

namespace Nacelle.Pods.Tests;

public sealed class PodStoreTests : IDisposable
{
    readonly string path = Directory.CreateTempSubdirectory("nacelle-pods-").FullName;
    readonly PodStore store;

    public PodStoreTests() => store = new PodStore(path);

    public void Dispose()
    {
        store.Dispose();
        Directory.Delete(path, recursive: true);
    }

    [Theory]
    [InlineData(PodPlace.Embryo, false, "embryo")]
    [InlineData(PodPlace.Prepare, true, "preparing")]
    [InlineData(PodPlace.Prepare, false, "aborted prepare")]
    [InlineData(PodPlace.Prepared, false, "prepared")]
    [InlineData(PodPlace.Run, true, "running")]
    [InlineData(PodPlace.Run, false, "exited")]
    [InlineData(PodPlace.ExitedGarbage, false, "exited garbage")]
    [InlineData(PodPlace.ExitedGarbage, true, "exited deleting")]
    [InlineData(PodPlace.Garbage, false, "garbage")]
    [InlineData(PodPlace.Garbage, true, "deleting")]
    public void A_state_is_a_directory_and_a_lock(PodPlace place, bool locked, string name) => Assert.Equal(name, PodStates.StateOf(place, locked).Name());

    [Fact]
    public void A_new_pod_is_being_prepared_until_its_maker_is_gone()
    {
        var pod = store.Create();
        using (var found = store.Find(pod.Uuid))
        {
            Assert.Equal(PodState.Preparing, found.State);
        }

        pod.Dispose();
        using var abandoned = store.Find(pod.Uuid[..8]);
        Assert.Equal(PodState.AbortedPrepare, abandoned.State);
    }

    [Fact]
    public void A_prefix_must_be_unique()
    {
        foreach (var uuid in (string[])["aaaa1111-0000-0000-0000-000000000000", "aaaa2222-0000-0000-0000-000000000000"])
        {
            Directory.CreateDirectory($"{path}/pods/prepared/{uuid}");
        }

        Assert.Contains("is ambiguous", Assert.Throws<PodException>(() => store.Find("aaaa")).Message, StringComparison.Ordinal);
        using var found = store.Find("aaaa2");
        Assert.Equal(PodState.Prepared, found.State);
        Assert.Contains("there is no pod", Assert.Throws<PodException>(() => store.Find("bb")).Message, StringComparison.Ordinal);
        Assert.Contains("too short", Assert.Throws<PodException>(() => store.Find("a")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void No_text_leads_out_of_the_pods()
    {
        Directory.CreateDirectory($"{path}/outside");
        var text = "../../outside".PadRight(36, '/');
        Assert.Contains("there is no pod", Assert.Throws<PodException>(() => store.Find(text)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Only_one_of_two_moves_succeeds()
    {
        using var pod = store.Create();
        using var other = store.Find(pod.Uuid);
        Assert.True(pod.TryMove(PodPlace.Prepared));
        Assert.False(other.Pod.TryMove(PodPlace.Garbage));
    }

    [Fact]
    public void Collecting_leaves_the_living_and_the_young()
    {
        using var living = store.Create();
        using (var exited = store.Create())
        {
            Assert.True(exited.TryMove(PodPlace.Run));
        }

        using (var prepared = store.Create())
        {
            Assert.True(prepared.TryMove(PodPlace.Prepared));
        }

        Directory.CreateDirectory($"{path}/pods/embryo/cccc1111-0000-0000-0000-000000000000");
        List<string> told = [];
        var options = new CollectOptions { Grace = TimeSpan.FromHours(1), ExpirePrepared = TimeSpan.FromHours(1) };
        Assert.True(PodCollection.Collect(store, options, told.Add, told.Add), string.Join("\n", told));
        Assert.Equal(["exited-garbage", "prepare", "prepared"], Places());
        Assert.True(PodCollection.Collect(store, options with { Grace = TimeSpan.Zero, ExpirePrepared = TimeSpan.Zero }, told.Add, told.Add), string.Join("\n", told));
        Assert.Equal(["prepare"], Places());
    }

    [Fact]
    public void While_a_pod_is_born_no_embryo_is_garbage()
    {
        Directory.CreateDirectory($"{path}/pods/garbage");
        Directory.CreateDirectory($"{path}/pods/embryo/cccc1111-0000-0000-0000-000000000000");
        using (var embryos = Files.Open($"{path}/pods/embryo", OpenFlags.ReadOnly | OpenFlags.Directory))
        {
            FileLock.Acquire(embryos, LockKind.Shared);
            PodCollection.Collect(store, new CollectOptions(), _ => { }, _ => { });
            Assert.Equal(["embryo"], Places());
        }

        PodCollection.Collect(store, new CollectOptions(), _ => { }, _ => { });
        Assert.Empty(Places());
    }

    [Fact]
    public async Task Many_make_and_look_at_once()
    {
        var makers = Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            for (int i = 0; i < 25; i++)
            {
                using var pod = store.Create();
                Assert.True(pod.TryMove(PodPlace.Prepared));
            }
        }));
        var lookers = Enumerable.Range(0, 2).Select(_ => Task.Run(() =>
        {
            for (int i = 0; i < 25; i++)
            {
                foreach (var found in store.List())
                {
                    found.Dispose();
                }

                PodCollection.Collect(store, new CollectOptions { ExpirePrepared = TimeSpan.FromHours(1) }, _ => { }, _ => { });
            }
        }));
        await Task.WhenAll([.. makers, .. lookers]);
        Assert.Equal(100, Directory.GetDirectories($"{path}/pods/prepared").Length);
    }

    string[] Places() => [.. Directory.GetDirectories($"{path}/pods").Where(place => Directory.GetDirectories(place).Length > 0).Select(place => Path.GetFileName(place)!).Order(StringComparer.Ordinal)];
}

using Nacelle.Specs;

namespace Nacelle.Trust.Tests;

/// <summary>rkt's directories of trusted keys.</summary>
public sealed class KeyStoreTests : IDisposable
{
    readonly Gnupg gpg = new();
    readonly string system, local;

    public KeyStoreTests() => (system, local) = ($"{gpg.Path}/usr/lib/nacelle", $"{gpg.Path}/etc/nacelle");

    public void Dispose() => gpg.Dispose();

    KeyStore Store => new([system, local]);

    OpenPgpKey NewKey(string name) => OpenPgpKey.ReadAll(gpg.Export(gpg.MakeKey(name)), "key")[0];

    string[] KeysFor(string name) => [.. Store.KeysFor(name).Select(key => key.UserIds[0])];

    [Fact]
    public void A_key_counts_for_its_prefix_and_all_below_it_by_whole_words()
    {
        var path = KeyStore.Add(local, "example.com/redis", NewKey("R"));
        Assert.StartsWith($"{local}/trustedkeys/prefix.d/example.com/redis/", path, StringComparison.Ordinal);
        Assert.Equal(["R"], KeysFor("example.com/redis"));
        Assert.Equal(["R"], KeysFor("example.com/redis/server"));
        Assert.Empty(KeysFor("example.com/redis-server"));
        Assert.Empty(KeysFor("example.com"));
        Assert.True(Store.KnowsPrefixOf("example.com/redis/server"));
        Assert.False(Store.KnowsPrefixOf("example.com"));
    }

    [Fact]
    public void Keys_of_all_directories_and_of_the_root_count_together()
    {
        KeyStore.Add(system, null, NewKey("root"));
        KeyStore.Add(system, "example.com", NewKey("above"));
        KeyStore.Add(local, "example.com/redis", NewKey("own"));
        Assert.Equal(["above", "own", "root"], KeysFor("example.com/redis").Order());
        Assert.Equal(["root"], KeysFor("example.org/x"));
        Assert.False(Store.KnowsPrefixOf("example.org/x"));
    }

    [Fact]
    public void An_empty_file_masks_a_weaker_directorys_key_and_no_stronger_ones()
    {
        var key = NewKey("K");
        var path = KeyStore.Add(system, "example.com", key);
        var mask = $"{local}/trustedkeys/prefix.d/example.com/{key.Fingerprint}";
        Directory.CreateDirectory(Path.GetDirectoryName(mask)!);
        File.WriteAllText(mask, "");
        Assert.Empty(KeysFor("example.com/redis"));
        File.WriteAllText(path, "");
        KeyStore.Add(local, "example.com", key);
        Assert.Equal(["K"], KeysFor("example.com/redis"));
    }

    [Fact]
    public void A_file_with_another_key_than_its_name_says_is_refused()
    {
        var path = KeyStore.Add(local, "example.com", NewKey("A"));
        File.WriteAllBytes(path, NewKey("B").ToArmor());
        Assert.Contains("not the one that its name says", Assert.Throws<SpecException>(() => Store.KeysFor("example.com")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("../x")]
    [InlineData("Example.com")]
    [InlineData("example.com/")]
    [InlineData("")]
    public void What_is_no_prefix_is_refused(string prefix)
    {
        var key = NewKey("A");
        Assert.Throws<SpecException>(() => KeyStore.Add(local, prefix, key));
        Assert.False(Directory.Exists(local));
    }

    [Fact]
    public void Without_directories_there_are_no_keys() => Assert.Empty(Store.KeysFor("example.com"));
}

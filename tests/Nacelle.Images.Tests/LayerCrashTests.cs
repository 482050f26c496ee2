using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Images.Tests;

/// <summary>Processes that work on the store are killed at any moment: what the store then shows is whole, and a sweep removes the rest.</summary>
public class LayerCrashTests
{
    const string StoreVariable = "NACELLE_TEST_LAYER_STORE";

    [Fact]
    public void Processes_killed_at_any_moment_leave_whole_layers_and_nothing_that_a_sweep_does_not_remove()
    {
        using var scratch = new LayerScratch();
        var expected = new Dictionary<Digest, string>();
        for (int i = 0; i < 3; i++)
        {
            var archive = Archive(i);
            System.IO.File.WriteAllBytes($"{scratch.Path}/{i}.tar", archive);
            scratch.Unpack(new MemoryStream(archive), $"expected{i}");
            expected.Add(Digest.Sha256(SHA256.HashData(archive)), LayerSnapshot.Of(scratch.Make($"expected{i}")));
        }

        using var store = LayerStore.Open(scratch.Root);
        var random = new Random(20);
        int found = 0, left = 0;
        for (int round = 0; round < 12; round++)
        {
            using (var one = StartChild(scratch.Path))
            using (var two = StartChild(scratch.Path))
            {
                Assert.Equal("committed", one.StandardOutput.ReadLine());
                Thread.Sleep(random.Next(0, 120));
                Kill(one);
                Assert.False(two.HasExited, two.HasExited ? two.StandardOutput.ReadToEnd() : "");
                Kill(two);
            }

            left += Directories.List(scratch.Root, "layers").Count(entry => entry.Name.StartsWith('.'));
            store.Sweep();
            Assert.All(Directories.List(scratch.Root, "layers"), entry => Assert.StartsWith("sha256-", entry.Name, StringComparison.Ordinal));
            foreach (var diffId in store.List())
            {
                using var rootfs = store.TryOpen(diffId)!;
                Assert.Equal(expected[diffId], LayerSnapshot.Of(rootfs));
                Assert.Equal(diffId, store.TryRead(diffId)!.DiffId);
                found++;
            }
        }

        Assert.True(found > 0 && left > 0, $"{found} layers and {left} leftovers were seen: the test has shown nothing");
    }

    static byte[] Archive(int number)
    {
        var builder = new TarBuilder().Directory("./");
        for (int i = 0; i < 200; i++)
        {
            builder.File($"directory{i % 10}/file{i}", new string((char)('a' + number), 10 * i));
        }

        return builder.Bytes();
    }

    /// <summary>This executable once more, which then runs <see cref="ChildMain"/> instead of tests.</summary>
    static System.Diagnostics.Process StartChild(string path)
    {
        var executable = Environment.ProcessPath!;
        string[] arguments = System.IO.Path.GetFileName(executable) == "dotnet" ? [typeof(LayerCrashTests).Assembly.Location] : [];
        var start = new ProcessStartInfo(executable, arguments) { RedirectStandardOutput = true, UseShellExecute = false };
        start.Environment[StoreVariable] = path;
        return System.Diagnostics.Process.Start(start)!;
    }

    static void Kill(System.Diagnostics.Process child)
    {
        child.Kill();
        child.WaitForExit();
    }

#pragma warning disable CA2255 // The runner's entry point is generated, and this comes before it.
    [ModuleInitializer]
    internal static void ChildMain()
    {
        if (Environment.GetEnvironmentVariable(StoreVariable) is not { } path)
        {
            return;
        }

        try
        {
            Work(path);
            Environment.Exit(0);
        }
        catch (Exception failure)
        {
            Console.WriteLine(failure);
            Environment.Exit(1);
        }
    }
#pragma warning restore CA2255

    static void Work(string path)
    {
        using var root = Files.Open(path, OpenFlags.ReadOnly | OpenFlags.Directory);
        using var store = LayerStore.Open(root);
        // Bounded, in case that the parent dies before it kills.
        for (int round = 0; round < 2000; round++)
        {
            var archive = System.IO.File.ReadAllBytes($"{path}/{round % 3}.tar");
            var diffId = Digest.Sha256(SHA256.HashData(archive));
            if (store.TryBegin(diffId, out var layer))
            {
                using (layer)
                {
                    layer.Unpack(new MemoryStream(archive));
                    store.Commit(layer);
                }

                Console.WriteLine("committed");
            }
            else
            {
                store.Remove(diffId);
            }

            store.Sweep();
        }
    }
}

using System.Diagnostics;
using System.Globalization;

namespace Nacelle.Images.Tests;

/// <summary>A push that is ended at any moment, in good order or not: nothing half is left, neither here nor under a name there, and the next one completes.</summary>
public sealed class InterruptedPushTests : IDisposable
{
    const string Http = "--insecure-options=http,image";

    static readonly TestImage Image = TestImage.OfNoise(41, 300_000, 500_000, 20_000);

    readonly LayerScratch scratch = new();

    public InterruptedPushTests()
    {
        Image.WriteLayout(scratch.Path + "/layout", "t");
        Assert.Equal(0, Run("image", "copy", Http, $"oci:{scratch.Path}/layout:t", "store:example.com/some/image:1").ExitCode);
    }

    string Data => scratch.Path + "/data";

    public void Dispose() => scratch.Dispose();

    ProgramResult Run(params string[] arguments) => FetchProgram.Wait(FetchProgram.StartCommand(Data, arguments));

    void Signal(Process process, string signal) => scratch.Shell(string.Create(CultureInfo.InvariantCulture, $"kill -{signal} {process.Id} 2>/dev/null || true"));

    /// <summary>Every file of the store, by name and time: what a push that was ended leaves must be what there was.</summary>
    string Contents() => scratch.Shell("find data -type f -printf '%p %s %T@\\n' | sort");

    [Theory]
    [InlineData("TERM", "--chunk-size=5000")]
    [InlineData("KILL", "--chunk-size=5000")]
    [InlineData("TERM", "--compression=gzip", "--compression-level=9")]
    [InlineData("KILL", "--compression=gzip", "--compression-level=9")]
    public void Whenever_it_ends_nothing_is_named_that_is_not_whole_and_the_next_push_completes(string signal, params string[] flags)
    {
        using var registry = new DockerRegistry(scratch);
        string[] arguments = ["image", "push", Http, .. flags, "--parallel=1", "example.com/some/image:1"];
        var clock = Stopwatch.StartNew();
        Assert.Equal(0, Run([.. arguments, $"{registry.Host}/measured/image:1"]).ExitCode);
        int whole = (int)clock.ElapsedMilliseconds, interrupted = 0;
        string before = Contents();
        var random = new Random(3);
        for (int round = 0; round < 12; round++)
        {
            string name = $"{registry.Host}/round{round}/image:1";
            using (var process = FetchProgram.StartCommand(Data, [.. arguments, name]))
            {
                bool ended = process.WaitForExit(random.Next(whole / 2));
                Signal(process, signal);
                var result = FetchProgram.Wait(process);
                interrupted += ended ? 0 : 1;

                // On a busy machine the signal may be there before the program is, which then dies of it as any would (143), having done nothing.
                Assert.True(ended || signal == "KILL" || result.ExitCode is 0 or 130 || result is { ExitCode: 143, Output: "", Errors: "" }, $"{result}");
                Assert.True(result.ExitCode != 130 || result.Errors.StartsWith("nacelle: interrupted; ", StringComparison.Ordinal), result.Errors);
            }

            Assert.Equal(before, Contents());
            if (scratch.Shell($"skopeo inspect --raw --tls-verify=false docker://{name} 2>/dev/null || echo nothing") != "nothing\n")
            {
                RequireWhole(name); // it was done
            }

            Assert.Equal(0, Run([.. arguments, name]).ExitCode);
            RequireWhole(name);
            Assert.Equal(before, Contents());
        }

        Assert.True(interrupted > 2, $"it was ended at work only {interrupted} times");
    }

    [Theory]
    [InlineData("PATCH", "TERM")]
    [InlineData("PATCH", "KILL")]
    [InlineData("PUT", "INT")]
    [InlineData("HEAD", "TERM")]
    public void A_registry_that_stalls_does_not_keep_it_from_ending(string method, string signal)
    {
        using var registry = new UploadRegistry(spoil: (request, _, answer) => request.Method == method ? answer with { Stall = true } : answer);
        using (var process = FetchProgram.StartCommand(Data, ["image", "push", Http, "--chunk-size=10000", "example.com/some/image:1", $"{registry.Host}/some/image:1"]))
        {
            while (!registry.Requests.Any(request => request.Method == method))
            {
                Thread.Sleep(10);
            }

            Thread.Sleep(100);
            var clock = Stopwatch.StartNew();
            Signal(process, signal);
            var result = FetchProgram.Wait(process);
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(5), $"took {clock.Elapsed}");
            Assert.Equal(signal == "KILL" ? 137 : 130, result.ExitCode);
            Assert.Equal("", result.Output);
        }

        Assert.Empty(registry.Manifests);
        Assert.Empty(Directory.GetFiles(Data + "/ingest"));
    }

    void RequireWhole(string name)
    {
        scratch.Shell($"rm -rf copy; skopeo copy -q --src-tls-verify=false docker://{name} oci:copy:t; umoci unpack --rootless --image copy:t bundle");
        Assert.Equal(TestImage.Noise(42, 500_000), File.ReadAllBytes(scratch.Path + "/bundle/rootfs/file1"));
        scratch.Shell("rm -rf bundle");
    }
}

using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Images.Tests;

/// <summary>What goes wrong between a registry and us, and what becomes of it.</summary>
public sealed class TransferTests
{
    static readonly TestImage Image = TestImage.OfNoise(1, 300_000, 200_000);

    [Fact]
    public async Task An_image_is_fetched_whole()
    {
        using var scratch = new StoreScratch();
        using var registry = new FaultyRegistry(Image);
        scratch.RequireWhole(await scratch.FetchAsync(registry.Name), Image);
        Assert.All(scratch.Progress.Layers, layer => Assert.Equal((LayerPhase.Done, layer.Total), (layer.Phase, layer.Done)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_body_that_breaks_off_is_resumed_where_it_broke(bool reset)
    {
        using var scratch = new StoreScratch();
        var layer = Image.Layers[0];
        using var registry = new FaultyRegistry(Image, (request, count, answer) =>
            FaultyRegistry.IsBlob(request, layer) && count <= 3 ? answer with { EndAfter = 50_000, Reset = reset } : answer);
        scratch.RequireWhole(await scratch.FetchAsync(registry.Name), Image);
        var ranges = registry.Requests.Where(request => FaultyRegistry.IsBlob(request, layer)).Select(request => request["Range"]).ToList();
        Assert.Equal(4, ranges.Count);
        Assert.Null(ranges[0]);

        // A reset may take bytes with it that were already sent.
        Assert.All(ranges.Skip(1), range => Assert.StartsWith("bytes=", range, StringComparison.Ordinal));
        if (!reset)
        {
            Assert.Equal(["bytes=50000-", "bytes=100000-", "bytes=150000-"], ranges.Skip(1));
        }
    }

    [Fact]
    public async Task A_range_is_asked_for_under_the_entity_tag_of_the_first_answer()
    {
        using var scratch = new StoreScratch();
        var layer = Image.Layers[0];
        using var registry = new FaultyRegistry(Image, (request, count, answer) =>
            FaultyRegistry.IsBlob(request, layer) && count == 1 ? answer with { EndAfter = 10 } : answer);
        await scratch.FetchAsync(registry.Name);
        Assert.Contains(registry.Requests, request => request["If-Range"] == $"\"{layer.Digest}\"");
    }

    [Fact]
    public async Task A_server_that_ignores_ranges_is_listened_to_from_the_start()
    {
        using var scratch = new StoreScratch();
        using var registry = new FaultyRegistry(Image, (request, count, answer) =>
            FaultyRegistry.IsBlob(request, Image.Layers[0])
                ? new ServerAnswer(200, Image.Blobs[Image.Layers[0].Digest.ToString()]) { EndAfter = count == 1 ? 123_456 : null } : answer);
        scratch.RequireWhole(await scratch.FetchAsync(registry.Name), Image);
    }

    [Fact]
    public async Task A_range_that_cannot_be_satisfied_is_followed_by_a_full_request()
    {
        using var scratch = new StoreScratch();
        using var registry = new FaultyRegistry(Image, (request, count, answer) =>
            !FaultyRegistry.IsBlob(request, Image.Layers[0]) ? answer
            : count == 1 ? answer with { EndAfter = 1000 }
            : request["Range"] is not null ? ServerAnswer.Text(416, "") : answer);
        scratch.RequireWhole(await scratch.FetchAsync(registry.Name), Image);
    }

    [Fact]
    public async Task Another_range_than_was_asked_for_is_not_taken()
    {
        using var scratch = new StoreScratch();
        using var registry = new FaultyRegistry(Image, (request, count, answer) =>
            !FaultyRegistry.IsBlob(request, Image.Layers[0]) ? answer
            : count == 1 ? answer with { EndAfter = 1000 }
            : count == 2 ? answer with { Headers = [("Content-Range", "bytes 5000-9999/10000")] } : answer);
        scratch.RequireWhole(await scratch.FetchAsync(registry.Name), Image);
    }

    [Theory]
    [InlineData(500)]
    [InlineData(503)]
    [InlineData(408)]
    public async Task A_passing_failure_is_tried_again(int status)
    {
        using var scratch = new StoreScratch();
        using var registry = new FaultyRegistry(Image, (_, count, answer) => count == 1 ? ServerAnswer.Text(status, "") : answer);
        scratch.RequireWhole(await scratch.FetchAsync(registry.Name), Image);
    }

    [Fact]
    public async Task A_registry_that_asks_for_patience_gets_it()
    {
        using var scratch = new StoreScratch();
        using var registry = new FaultyRegistry(Image, (request, count, answer) =>
            FaultyRegistry.IsBlob(request, Image.Layers[0]) && count == 1 ? ServerAnswer.Text(429, "", ("Retry-After", "1")) : answer);
        var before = DateTime.UtcNow;
        scratch.RequireWhole(await scratch.FetchAsync(registry.Name), Image);
        Assert.True(DateTime.UtcNow - before > TimeSpan.FromMilliseconds(900), "it did not wait the second that it was asked for");
    }

    [Fact]
    public async Task A_registry_that_keeps_failing_is_given_up_with_what_it_said()
    {
        using var scratch = new StoreScratch();
        using var registry = new FaultyRegistry(Image, (request, _, answer) =>
            request.Path.Contains("/manifests/", StringComparison.Ordinal)
                ? ServerAnswer.Text(503, """{"errors":[{"code":"UNAVAILABLE","message":"under\nrepair"}]}""") : answer);
        var failure = await Assert.ThrowsAsync<ImageException>(() => scratch.FetchAsync(registry.Name));
        Assert.Equal($"registry {registry.Host} fails: under repair (503) (tried 5 times)", failure.Message);
    }

    [Fact]
    public async Task A_body_that_never_gets_further_is_given_up()
    {
        using var scratch = new StoreScratch();
        using var registry = new FaultyRegistry(Image, (request, _, answer) =>
            FaultyRegistry.IsBlob(request, Image.Layers[0]) ? answer with { EndAfter = 0 } : answer);
        var failure = await Assert.ThrowsAsync<ImageException>(() => scratch.FetchAsync(registry.Name));
        Assert.Contains($"blob {Image.Layers[0].Digest}", failure.Message, StringComparison.Ordinal);
        Assert.Contains("tried 5 times", failure.Message, StringComparison.Ordinal);
        Assert.Null(scratch.Store.Find(registry.Name));
        scratch.RequireNothingHalfUnpacked();
    }

    [Fact]
    public async Task A_connection_without_a_byte_is_left_and_resumed()
    {
        using var scratch = new StoreScratch();
        scratch.Options = scratch.Options with { Registry = scratch.Options.Registry with { StallTimeout = TimeSpan.FromMilliseconds(300) } };
        using var registry = new FaultyRegistry(Image, (request, count, answer) =>
            FaultyRegistry.IsBlob(request, Image.Layers[0]) && count == 1 ? answer with { EndAfter = 70_000, Stall = true } : answer);
        scratch.RequireWhole(await scratch.FetchAsync(registry.Name), Image);
        Assert.Contains(registry.Requests, request => request["Range"] == "bytes=70000-");
    }

    [Fact]
    public async Task Wrong_bytes_are_fetched_once_more_from_the_start()
    {
        using var scratch = new StoreScratch();
        using var registry = new FaultyRegistry(Image, (request, count, answer) =>
            FaultyRegistry.IsBlob(request, Image.Layers[1]) && count == 1 ? answer with { Body = Spoiled(answer.Body) } : answer);
        scratch.RequireWhole(await scratch.FetchAsync(registry.Name), Image);
        Assert.All(registry.Requests.Where(request => FaultyRegistry.IsBlob(request, Image.Layers[1])), request => Assert.Null(request["Range"]));
    }

    [Fact]
    public async Task Bytes_that_stay_wrong_are_refused_by_digest_and_leave_nothing()
    {
        using var scratch = new StoreScratch();
        using var registry = new FaultyRegistry(Image, (request, _, answer) =>
            FaultyRegistry.IsBlob(request, Image.Layers[1]) ? answer with { Body = Spoiled(answer.Body) } : answer);
        var failure = await Assert.ThrowsAsync<ImageException>(() => scratch.FetchAsync(registry.Name));
        string got = ContentStore.DigestOf(Spoiled(Image.Blobs[Image.Layers[1].Digest.ToString()])).ToString();
        Assert.Equal($"layer: digest mismatch: expected {Image.Layers[1].Digest}, got {got}", failure.Message);
        Assert.DoesNotContain(scratch.Downloads(), path => path.EndsWith(Image.Layers[1].Digest.Hex, StringComparison.Ordinal));
        Assert.Null(scratch.Store.Content.SizeOf(Image.Layers[1].Digest));
        Assert.False(scratch.Store.Layers.Contains(Image.DiffIds[1]));
        scratch.RequireNothingHalfUnpacked();
    }

    [Fact]
    public async Task A_body_that_goes_on_after_its_end_is_refused()
    {
        using var scratch = new StoreScratch();
        using var registry = new FaultyRegistry(Image, (request, _, answer) =>
            FaultyRegistry.IsBlob(request, Image.Layers[0]) ? answer with { Body = [.. answer.Body, 1, 2, 3] } : answer);
        var failure = await Assert.ThrowsAsync<ImageException>(() => scratch.FetchAsync(registry.Name));
        Assert.Contains($"goes on after the {Image.Layers[0].Size} bytes", failure.Message, StringComparison.Ordinal);
        Assert.Null(scratch.Store.Content.SizeOf(Image.Layers[0].Digest));
    }

    [Fact]
    public async Task A_length_that_promises_more_than_comes_is_a_broken_connection()
    {
        using var scratch = new StoreScratch();
        using var registry = new FaultyRegistry(Image, (request, count, answer) =>
            FaultyRegistry.IsBlob(request, Image.Layers[0]) && count == 1 ? answer with { Length = answer.Body.Length + 10, EndAfter = 1000 } : answer);
        scratch.RequireWhole(await scratch.FetchAsync(registry.Name), Image);
    }

    [Fact]
    public async Task A_manifest_that_is_not_the_announced_one_is_refused()
    {
        using var scratch = new StoreScratch();
        using var registry = new FaultyRegistry(Image, (request, _, answer) =>
            request.Path.Contains("/manifests/", StringComparison.Ordinal) ? answer with { Body = Spoiled(answer.Body) } : answer);
        var failure = await Assert.ThrowsAsync<ImageException>(() => scratch.FetchAsync(registry.Name));
        Assert.Contains($"digest mismatch: expected {Image.Manifest.Digest}", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_image_is_told_in_the_registrys_words()
    {
        using var scratch = new StoreScratch();
        using var registry = new FaultyRegistry(Image);
        var failure = await Assert.ThrowsAsync<ImageException>(() => scratch.FetchAsync(ImageName.Parse($"docker://{registry.Host}/some/image:missing")));
        Assert.Equal($"image not found: registry {registry.Host} says of {registry.Host}/some/image:missing: manifest unknown (404)", failure.Message);
    }

    [Fact]
    public async Task A_registry_that_nobody_runs_is_named_at_once()
    {
        using var scratch = new StoreScratch();
        string host;
        using (var gone = new FaultyServer(_ => ServerAnswer.Text(200, "")))
        {
            host = gone.Host;
        }

        var failure = await Assert.ThrowsAsync<ImageException>(() => scratch.FetchAsync(ImageName.Parse($"docker://{host}/a")));
        Assert.Equal($"cannot reach registry {host}: connection refused", failure.Message);
    }

    [Fact]
    public async Task Plain_http_is_not_spoken_without_leave()
    {
        using var scratch = new StoreScratch();
        scratch.Options = scratch.Options with { Registry = scratch.Options.Registry with { InsecureHttp = false } };
        using var registry = new FaultyRegistry(Image);
        var failure = await Assert.ThrowsAsync<ImageException>(() => scratch.FetchAsync(registry.Name));
        Assert.Contains("--insecure-options=http", failure.Message, StringComparison.Ordinal);
        Assert.Empty(registry.Requests);
    }

    [Fact]
    public async Task An_interrupted_fetch_goes_on_from_its_bytes()
    {
        using var scratch = new StoreScratch();
        using var stop = new CancellationTokenSource();
        var layer = Image.Layers[0];
        using var registry = new FaultyRegistry(Image, (request, count, answer) =>
            FaultyRegistry.IsBlob(request, layer) && count == 1 ? answer with { EndAfter = 100_000, Stall = true } : answer);
        var first = scratch.FetchAsync(registry.Name, stop.Token);
        while (scratch.Progress.Layers.FirstOrDefault(bar => bar.Digest == layer.Digest)?.Done is not 100_000)
        {
            await Task.Delay(5);
        }

        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        Assert.Contains(scratch.Downloads(), path => path.EndsWith(layer.Digest.FileName, StringComparison.Ordinal));
        scratch.RequireNothingHalfUnpacked();

        scratch.RequireWhole(await scratch.FetchAsync(registry.Name), Image);
        Assert.Contains(registry.Requests, request => request["Range"] == "bytes=100000-");
    }

    [Fact]
    public async Task What_an_earlier_attempt_left_is_not_trusted()
    {
        using var scratch = new StoreScratch();
        Files.EnsureDirectory(scratch.Scratch.Root, "data/ingest");
        Files.WriteAll(scratch.Scratch.Root, $"data/ingest/{Image.Layers[0].Digest.FileName}", TestImage.Noise(99, 5000));
        using var registry = new FaultyRegistry(Image);
        scratch.RequireWhole(await scratch.FetchAsync(registry.Name), Image);
    }

    [Fact]
    public async Task What_is_in_the_store_is_not_fetched_again()
    {
        using var scratch = new StoreScratch();
        using var registry = new FaultyRegistry(Image);
        await scratch.FetchAsync(registry.Name);
        int before = registry.Requests.Count;
        scratch.Options = scratch.Options with { PullPolicy = PullPolicy.Update };
        await scratch.FetchAsync(ImageName.Parse($"docker://{registry.Host}/other/name"));
        Assert.DoesNotContain(registry.Requests.Skip(before), request => request.Path.Contains("/blobs/", StringComparison.Ordinal));
    }

    static byte[] Spoiled(byte[] content)
    {
        var spoiled = content.ToArray();
        spoiled[spoiled.Length / 2] ^= 1;
        return spoiled;
    }
}

using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Images;

/// <summary>Brings appc images into the store: finds them by name, checks who signed them, and has their dependencies fetched the same way.</summary>
/// <remarks>appc 0.8.11, spec/discovery.md and spec/aci.md.</remarks>
sealed class AciFetcher(ImageStore store, FetchOptions options, FetchProgress progress)
{
    const int DeepestDependency = 32;
    const int LargestSignature = 1 << 20;

    readonly List<string> underWay = [];

    public Task<StoredImage> FetchAsync(AppcImageName name, CancellationToken cancellation) => WithDownloads(async download =>
    {
        var stored = store.FindAci(name) is { } found && FitsPlatform(store.ReadAppManifest(found).Labels) && IsComplete(found) ? found : null;
        if (options.PullPolicy == PullPolicy.Never || (options.PullPolicy == PullPolicy.New && stored is not null))
        {
            return stored ?? throw new ImageException($"image not found: {name} is not in the store, and --pull-policy=never");
        }

        var wanted = name.WithDefaults(
            new Annotation("version", "latest"), new Annotation("os", options.Platform.Os), new Annotation("arch", options.Platform.AppcArchitecture));
        var endpoints = (await AciDiscovery.FindAsync(download, wanted, found => found.Images.Count > 0, options, progress, cancellation)
            ?? throw new ImageException($"image not found: no page of {name.Name} or above says where it is (meta elements 'ac-discovery')")).Images;
        if (!options.InsecureImage)
        {
            if (options.AcceptKeys is not null && !options.Keys.KnowsPrefixOf(name.Name))
            {
                await OfferKeysAsync(wanted, options.AcceptKeys, cancellation);
            }

            AciSignature.KeysFor(name.Name, options);
        }

        foreach (var endpoint in endpoints.SkipLast(1))
        {
            try
            {
                return await FetchAsync(download, endpoint, name, cancellation);
            }
            catch (ImageException failure)
            {
                progress.Note?.Invoke(failure.Message);
            }
        }

        return await FetchAsync(download, endpoints[^1], name, cancellation);
    });

    public Task<StoredImage> FetchAsync(ImageUrl url, CancellationToken cancellation) => WithDownloads(async download =>
    {
        if (options.PullPolicy != PullPolicy.Update)
        {
            var stored = RemoteFile.Find(store, url.Address) is { } known ? FindComplete(known.Image) : null;
            if (stored is not null || options.PullPolicy == PullPolicy.Never)
            {
                return stored ?? throw new ImageException($"image not found: {url} is not in the store, and --pull-policy=never");
            }
        }

        var signature = new UriBuilder(url.Address) { Path = url.Address.AbsolutePath + ".asc" }.Uri;
        return await FetchAsync(download, new AciEndpoint(url.Address, signature), null, cancellation);
    });

    /// <param name="path">Where the file lies; its signature lies beside it, in <c>PATH.asc</c>.</param>
    public async Task<StoredImage> FetchAsync(string path, FileDescriptor file, CancellationToken cancellation)
    {
        using var held = store.HoldContent();
        using var signature = options.InsecureImage || options.Signature is not null ? null : Files.TryOpen(FileDescriptor.WorkingDirectory, path + ".asc", OpenFlags.ReadOnly, out _);
        var signed = new AciSignature(signature is null ? null : ReadSignature(signature), path + ".asc");
        return await TakeAsync(file, path, GivenSignature() ?? signed, null, cancellation);
    }

    async Task<StoredImage> WithDownloads(Func<UrlDownload, Task<StoredImage>> fetch)
    {
        using var held = store.HoldContent();
        using var download = new UrlDownload(store.Content, options, progress);
        return await fetch(download);
    }

    /// <summary>Has the keys that the name's pages offer judged, the first that can be read.</summary>
    async Task OfferKeysAsync(AppcImageName name, Func<OfferedKeys, bool> accept, CancellationToken cancellation)
    {
        var asking = options with { Registry = options.KeyRegistry ?? options.Registry };
        using var download = new UrlDownload(store.Content, asking, progress);
        var offers = await AciDiscovery.FindAsync(download, name, found => found.PublicKeys.Count > 0, asking, progress, cancellation);
        foreach (var source in offers?.PublicKeys ?? [])
        {
            var keys = await KeyDownload.ReadAsync(download, source, cancellation);
            if (accept(new OfferedKeys(name.Name, source, keys)))
            {
                return;
            }
        }
    }

    async Task<StoredImage> FetchAsync(UrlDownload download, AciEndpoint endpoint, AppcImageName? wanted, CancellationToken cancellation)
    {
        var known = RemoteFile.Find(store, endpoint.Image);
        var stored = known is null ? null : FindComplete(known.Image);
        if (stored is not null && DateTimeOffset.UtcNow < known!.FreshUntil)
        {
            return stored;
        }

        // The signature first: who has none need not send a whole image. A server that makes it on demand says 202 until the image was asked for.
        var given = GivenSignature();
        UrlAnswer? signature = options.InsecureImage || given is not null ? null : await download.GetAsync(endpoint.Signature, "signature", null, LargestSignature, cancellation);
        using var early = signature?.File;
        var answer = await download.GetAsync(endpoint.Image, "ACI", stored is null ? null : known!.EntityTag, options.Unpack.Limits.TarBytes, cancellation);
        using var file = answer.File;
        if (answer.IsUnchanged && stored is not null)
        {
            return stored;
        }

        if (file is null)
        {
            throw new ImageException($"{endpoint.Image}: the server does not send the image");
        }

        UrlAnswer? late = signature is { IsDeferred: true } ? await download.GetAsync(endpoint.Signature, "signature", null, LargestSignature, cancellation) : null;
        using var deferred = late?.File;
        if (late is { IsDeferred: true })
        {
            throw new ImageException($"{endpoint.Signature}: the server has promised the signature and still not made it; try again later");
        }

        var signed = given ?? new AciSignature((early ?? deferred) is { } present ? ReadSignature(present.File) : null, endpoint.Signature.AbsoluteUri);
        var image = await TakeAsync(file.File, endpoint.Image.AbsoluteUri, signed, wanted, cancellation);
        new RemoteFile(endpoint.Image, image.Id, file.EntityTag, DateTimeOffset.UtcNow + file.Fresh).Write(store);
        return image;
    }

    /// <summary>The signature that somebody has named, unless it is a dependency that is fetched just now.</summary>
    AciSignature? GivenSignature()
    {
        if (options.Signature is not { } path || options.InsecureImage || underWay.Count > 0)
        {
            return null;
        }

        using var file = Files.Open(path, OpenFlags.ReadOnly);
        return new AciSignature(ReadSignature(file), path);
    }

    static byte[] ReadSignature(FileDescriptor file)
    {
        if (Files.Status(file).Size > LargestSignature)
        {
            throw new ImageException($"{file} is no signature: it has more than {LargestSignature} bytes");
        }

        Files.Seek(file, 0, SeekOrigin.Begin);
        return Files.ReadToEnd(file);
    }

    /// <summary>Checks the file and takes it into the store, with all it depends on.</summary>
    async Task<StoredImage> TakeAsync(FileDescriptor file, string source, AciSignature signature, AppcImageName? wanted, CancellationToken cancellation)
    {
        void Verify(string name)
        {
            if (!options.InsecureImage)
            {
                signature.Require(file, name, options, progress, cancellation);
            }
        }

        // Where the name is known nothing of the file is even looked at before.
        if (wanted is not null)
        {
            Verify(wanted.Name);
        }

        void Accept(AppImageManifest manifest)
        {
            RequireWanted(manifest, source, wanted);
            if (wanted is null)
            {
                Verify(manifest.Name);
            }
        }

        var imported = await AciImport.RunAsync(store, file, source, options.Unpack, Accept, cancellation);
        var manifest = imported.Manifest;
        var dependencies = new List<StoredImage>();
        underWay.Add(manifest.Name);
        foreach (var dependency in manifest.Dependencies)
        {
            dependencies.Add(await FetchDependencyAsync(dependency, manifest.Name, cancellation));
        }

        underWay.RemoveAt(underWay.Count - 1);
        var layers = await Task.Run(() => AciRendering.Render(store, imported, dependencies, cancellation), cancellation);
        var descriptor = new Descriptor { MediaType = MediaTypes.Aci, Digest = imported.Id, Size = imported.Size };
        var image = new StoredImage
        {
            Name = AppcImageName.Of(manifest.Name, manifest.Labels).ToString(),
            Manifest = descriptor,
            Layout = descriptor,
            Config = imported.Config,
            Resolved = imported.Id,
            Platform = $"{manifest.Label("os") ?? "any"}/{manifest.Label("arch") ?? "any"}",
            Size = imported.Size,
            Imported = DateTimeOffset.FromUnixTimeMilliseconds(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()),
            LastUsed = DateTimeOffset.UtcNow,
            Layers = layers,
            IsLatest = wanted is not null && wanted.Label("version") is null,
        };
        store.Add(image);
        return image;
    }

    void RequireWanted(AppImageManifest manifest, string source, AppcImageName? wanted)
    {
        if (wanted is not null && !wanted.Matches(manifest.Name, manifest.Labels))
        {
            throw new ImageException($"{source} is not {wanted}: its manifest says {AppcImageName.Of(manifest.Name, manifest.Labels)}");
        }

        if (!FitsPlatform(manifest.Labels))
        {
            throw new ImageException($"{source} is for {manifest.Label("os")}/{manifest.Label("arch")}, not for {options.Platform}");
        }
    }

    bool FitsPlatform(IReadOnlyList<Annotation> labels) => labels.All(label => label.Name switch
    {
        "os" => label.Value == options.Platform.Os,
        "arch" => label.Value == options.Platform.AppcArchitecture,
        _ => true,
    });

    async Task<StoredImage> FetchDependencyAsync(ImageDependency dependency, string of, CancellationToken cancellation)
    {
        var name = AppcImageName.Of(dependency.ImageName, dependency.Labels);
        if (underWay.Contains(name.Name) || underWay.Count > DeepestDependency)
        {
            throw new ImageException($"the dependencies of {underWay[0]} go round in a circle, or too deep: {string.Join(" → ", underWay)} → {name.Name}");
        }

        if (dependency.ImageId is { } id && FindComplete(id) is { } exact)
        {
            return exact;
        }

        progress.Note?.Invoke($"{of} depends on {name}");
        var image = await FetchAsync(name, cancellation);
        return dependency.ImageId is not { } needed || image.Id == needed ? image
            : throw new ImageException($"{of} depends on {name} with the id {needed.FileName}; what is found has {image.Id.FileName}");
    }

    StoredImage? FindComplete(Digest id) => store.List().Find(image => image.IsAci && image.Id == id && IsComplete(image));

    bool IsComplete(StoredImage image) =>
        store.Content.SizeOf(image.Id) == image.Size && store.Content.SizeOf(image.Config) is not null && image.Layers.All(store.Layers.Contains);
}

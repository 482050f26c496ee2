using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Trust;

/// <summary>One of the conditions under which a policy accepts an image.</summary>
/// <remarks>containers-policy.json(5), "Policy Requirements".</remarks>
public abstract record PolicyRequirement
{
    internal static PolicyRequirement Parse(SpecNode node)
    {
        string type = node.Need("type").Text();
        switch (type)
        {
            case "insecureAcceptAnything":
                PolicyText.RequireOnly(node, "type");
                return new AcceptAnything();
            case "reject":
                PolicyText.RequireOnly(node, "type");
                return new Reject();
            case "signedBy":
                PolicyText.RequireOnly(node, "type", "keyType", "keyPath", "keyPaths", "keyData", "signedIdentity");
                string keyType = node.Need("keyType").Text();
                return keyType is not ("GPGKeys" or "signedByGPGKeys" or "X509Certificates" or "signedByX509CAs") ? throw new SpecException(node.Need("keyType").Path, $"there is no kind of keys '{keyType}'")
                    : new SignedBy(PolicyKeys.Parse(node, "keyPath", "keyPaths", "keyData"), Identity(node)) { Unsupported = keyType == "GPGKeys" ? null : $"keyType {keyType}" };
            case "sigstoreSigned":
                PolicyText.RequireOnly(node, [.. SigstoreNames, "type", "signedIdentity"]);
                var unsupported = node.Names().FirstOrDefault(name => name is "fulcio" or "pki" || name.StartsWith("rekor", StringComparison.Ordinal));
                return new SigstoreSigned(unsupported is "fulcio" or "pki" ? PolicyKeys.None : PolicyKeys.Parse(node, "keyPath", "keyPaths", "keyData", "keyDatas"), Identity(node)) { Unsupported = unsupported };
            default:
                throw new SpecException(node.Need("type").Path, $"there is no requirement '{type}'");
        }
    }

    static readonly string[] SigstoreNames =
        ["keyPath", "keyPaths", "keyData", "keyDatas", "fulcio", "pki", "rekorPublicKeyPath", "rekorPublicKeyPaths", "rekorPublicKeyData", "rekorPublicKeyDatas"];

    static SignedIdentity Identity(SpecNode node) => node.Find("signedIdentity") is { } identity ? SignedIdentity.Parse(identity) : SignedIdentity.Default;
}

/// <summary>Any image, by anybody.</summary>
public sealed record AcceptAnything : PolicyRequirement;

/// <summary>No image.</summary>
public sealed record Reject : PolicyRequirement;

/// <summary>Images that the owner of an OpenPGP key has signed ("simple signing").</summary>
public sealed record SignedBy(PolicyKeys Keys, SignedIdentity Identity) : PolicyRequirement
{
    /// <summary>What the requirement asks for that cannot be checked here: then it refuses every image.</summary>
    public string? Unsupported { get; init; }
}

/// <summary>Images that the owner of a key has signed as cosign does.</summary>
public sealed record SigstoreSigned(PolicyKeys Keys, SignedIdentity Identity) : PolicyRequirement
{
    /// <inheritdoc cref="SignedBy.Unsupported"/>
    public string? Unsupported { get; init; }
}

/// <summary>Where the keys of a requirement are: in files, or in the policy itself.</summary>
public sealed record PolicyKeys(IReadOnlyList<string> Paths, IReadOnlyList<byte[]> Texts)
{
    const int LargestFile = 4 << 20;

    internal static readonly PolicyKeys None = new([], []);

    internal static PolicyKeys Parse(SpecNode node, params string[] names)
    {
        var given = names.Where(name => node.Find(name) is not null).ToList();
        if (given.Count != 1)
        {
            throw new SpecException(node.Path, $"exactly one of {string.Join(", ", names)} must be there");
        }

        var value = node.Need(given[0]);
        var keys = given[0] switch
        {
            "keyPath" => new PolicyKeys([value.Text()], []),
            "keyPaths" => new PolicyKeys(node.Texts("keyPaths"), []),
            "keyData" => new PolicyKeys([], [PolicyText.Base64(value)]),
            _ => new PolicyKeys([], node.List("keyDatas", PolicyText.Base64)),
        };
        return keys.Paths.Count + keys.Texts.Count > 0 ? keys : throw new SpecException(value.Path, "is empty");
    }

    /// <summary>Reads each key with <paramref name="read"/>, which gets the text and where it is from.</summary>
    /// <exception cref="KernelException">A file cannot be read.</exception>
    internal List<T> Read<T>(Func<byte[], string, T> read)
    {
        var keys = new List<T>();
        foreach (string path in Paths)
        {
            using var file = Files.Open(path, OpenFlags.ReadOnly);
            keys.Add(Files.Status(file).Size <= LargestFile ? read(Files.ReadToEnd(file), path) : throw new SpecException("", $"is longer than {LargestFile} bytes").In(path));
        }

        keys.AddRange(Texts.Select(text => read(text, "the policy's keyData")));
        return keys;
    }
}

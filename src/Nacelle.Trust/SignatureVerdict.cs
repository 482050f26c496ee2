namespace Nacelle.Trust;

/// <summary>What is to be thought of a signature.</summary>
public enum SignatureStatus
{
    /// <summary>Made by a key that is trusted, over this very content.</summary>
    Good,

    /// <summary>Made by a key that is not among those trusted.</summary>
    UnknownKey,

    /// <summary>Not over this content, not made by the key that it names, or not of a kind that could be.</summary>
    Bad,

    KeyExpired,

    KeyRevoked,

    /// <summary>The key's owner does not mean it for signatures of data, or does not vouch for it.</summary>
    KeyNotForSigning,

    /// <summary>The signature's own time is over, or has not come yet, or lies before its key's.</summary>
    NotInTime,

    /// <summary>Made in a way that no longer says anything: MD5, SHA-1, a short key; or in one that cannot be checked here.</summary>
    Weak,
}

/// <summary>The judgement over one signature.</summary>
/// <param name="Key">Whose key made it, where that is known.</param>
/// <param name="Reason">The rest of a sentence that begins with the signature: <c>was made by …</c>.</param>
public sealed record SignatureVerdict(SignatureStatus Status, OpenPgpKey? Key, string Reason)
{
    public bool IsGood => Status == SignatureStatus.Good;

    /// <summary>The fingerprint of the key or subkey that signed, or as much of it as the signature says.</summary>
    public string Signer { get; init; } = "";

    public DateTimeOffset? Created { get; init; }
}

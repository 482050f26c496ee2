namespace Nacelle.Specs;

/// <summary>How a person identifies themselves to a host that gives images.</summary>
/// <remarks>The credentials of rkt's configuration kinds <c>auth</c> and <c>dockerAuth</c>.</remarks>
public abstract record HostCredential
{
    HostCredential()
    {
    }

    /// <summary>As the configuration calls it.</summary>
    public abstract string Type { get; }

    /// <summary>User name and password, RFC 7617.</summary>
    public sealed record Basic(string User, string Password) : HostCredential
    {
        public override string Type => "basic";

        public override string ToString() => $"password of {User}";
    }

    /// <summary>A bearer token, RFC 6750.</summary>
    public sealed record Token(string Value) : HostCredential
    {
        public override string Type => "oauth";

        public override string ToString() => "token";
    }

    /// <summary>A key of Amazon's, with which requests to S3 are signed.</summary>
    /// <param name="Region">Null to go by the host's name.</param>
    public sealed record Aws(string AccessKeyId, string SecretAccessKey, string? Region) : HostCredential
    {
        public override string Type => "aws";

        public override string ToString() => $"key {AccessKeyId}";
    }

    /// <exception cref="SpecException">A part is missing or cannot be sent.</exception>
    internal static HostCredential Read(SpecNode node, string type, string typePath) => type switch
    {
        "basic" => ReadBasic(node),
        "oauth" => new Token(Printable(node, "token")),
        "aws" => new Aws(Printable(node, "accessKeyID"), Printable(node, "secretAccessKey"), node.Find("awsRegion") is null ? null : Printable(node, "awsRegion")),
        _ => throw new SpecException(typePath, $"'{type}' is not basic, oauth or aws"),
    };

    internal static Basic ReadBasic(SpecNode node)
    {
        var user = node.Need("user");
        var password = node.Need("password");
        return user.Text() is not { Length: > 0 } name || name.Contains(':') ? throw new SpecException(user.Path, "is empty, or has a ':'")
            : password.Text() is not { Length: > 0 } secret ? throw new SpecException(password.Path, "is empty")
            : new Basic(name, secret);
    }

    internal void Write(SpecWriter json)
    {
        switch (this)
        {
            case Basic basic:
                json.Text("user", basic.User);
                json.Text("password", basic.Password);
                break;
            case Token token:
                json.Text("token", token.Value);
                break;
            case Aws aws:
                json.Text("accessKeyID", aws.AccessKeyId);
                json.Text("secretAccessKey", aws.SecretAccessKey);
                json.Text("awsRegion", aws.Region);
                break;
        }
    }

    /// <summary>What goes into a header must not be able to end it. The message does not show what it is about.</summary>
    static string Printable(SpecNode node, string name)
    {
        var member = node.Need(name);
        return member.Text() is { Length: > 0 } text && !text.AsSpan().ContainsAnyExceptInRange('!', '~') ? text
            : throw new SpecException(member.Path, "is empty, or has other characters than those of ASCII that can be seen");
    }
}

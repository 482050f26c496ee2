using Nacelle.Specs;

namespace Nacelle.Trust;

/// <summary>What the parts of a policy file have in common.</summary>
static class PolicyText
{
    /// <exception cref="SpecException">The object has a member of another name: in a policy, what is not understood must not be passed over.</exception>
    public static void RequireOnly(SpecNode node, params ReadOnlySpan<string> names)
    {
        foreach (string name in node.Names())
        {
            if (!names.Contains(name))
            {
                throw new SpecException(node.Path.Length == 0 ? name : $"{node.Path}.{name}", "is not known here");
            }
        }
    }

    public static SignedReference Reference(SpecNode node) =>
        SignedReference.TryParse(node.Text()) ?? throw new SpecException(node.Path, $"'{node.Text()}' is not a name of images");

    public static byte[] Base64(SpecNode node)
    {
        string text = node.Text();
        var bytes = new byte[(text.Length / 4 * 3) + 3];
        return Convert.TryFromBase64String(text, bytes, out int length) && length > 0 ? bytes[..length] : throw new SpecException(node.Path, "is not base64");
    }
}

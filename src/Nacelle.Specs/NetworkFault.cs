namespace Nacelle.Specs;

/// <summary>What a plug-in prints when it fails. See the CNI specification 1.1.0, section 5, "Error".</summary>
/// <param name="Code">1 to 99 by the specification; a plug-in's own from 100; 0 where it says none.</param>
/// <param name="Details">Null for nothing.</param>
public sealed record NetworkFault(int Code, string Message, string? Details)
{
    /// <returns>Null where the text is not that.</returns>
    public static NetworkFault? TryParse(ReadOnlySpan<byte> json)
    {
        try
        {
            return SpecNode.Parse(json, node => new NetworkFault(node.Find("code")?.Int() ?? 0, node.Need("msg").Text(), node.FindFilled("details")));
        }
        catch (SpecException)
        {
            return null;
        }
    }
}

using System.Text;

namespace Nacelle.Specs;

public sealed partial record NetworkDns
{
    /// <summary>The text of a resolv.conf; see resolv.conf(5).</summary>
    public string ToResolverFile()
    {
        var text = new StringBuilder();
        void Line(string keyword, string? value)
        {
            if (value is { Length: > 0 })
            {
                text.Append(keyword).Append(' ').Append(SpecException.OneLine(value)).Append('\n');
            }
        }

        Line("domain", Domain);
        Line("search", string.Join(' ', Search));
        foreach (var server in Nameservers)
        {
            Line("nameserver", server);
        }

        Line("options", string.Join(' ', Options));
        return text.ToString();
    }
}

using System.Globalization;

namespace Nacelle.Network;

/// <summary>Whose a rule is: what stands in comments of the packet filter's elements, for people and for DEL and GC.</summary>
static class RuleOwner
{
    const int LongestNetwork = 40, LongestContainer = 64;

    public static string Of(PluginCall call) => Of(PluginOptions.NetworkOf(call), call.ContainerId, call.InterfaceName);

    public static string Of(string network, string container, string device) => $"{PrefixOf(network)}{Shorten(container, LongestContainer)} {device}";

    /// <summary>What all owners in a network begin with.</summary>
    public static string PrefixOf(string network) => Shorten(network, LongestNetwork) + " ";

    /// <summary>The container of an owner, for messages.</summary>
    public static string ContainerOf(string owner) => owner.Split(' ') is [_, var container, _] ? container : owner;

    /// <summary>A comment holds 127 bytes: what is too long ends in a hash of all of it.</summary>
    static string Shorten(string text, int most)
    {
        if (text.Length <= most)
        {
            return text;
        }

        string digits = Hash(text).ToString("x16", CultureInfo.InvariantCulture);
        return $"{text[..(most - digits.Length - 1)]}~{digits}";
    }

    /// <summary>FNV-1a.</summary>
    public static ulong Hash(string text)
    {
        ulong hash = 14695981039346656037;
        foreach (char letter in text)
        {
            hash = (hash ^ letter) * 1099511628211;
        }

        return hash;
    }
}

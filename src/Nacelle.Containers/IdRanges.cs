using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Containers;

/// <summary>The mappings of a config.json as the kernel layer takes them.</summary>
public static class IdRanges
{
    public static IReadOnlyList<IdRange> Of(IReadOnlyList<RuntimeIdMapping> mappings)
    {
        var ranges = new IdRange[mappings.Count];
        for (int i = 0; i < ranges.Length; i++)
        {
            ranges[i] = new IdRange(mappings[i].ContainerId, mappings[i].HostId, mappings[i].Size);
        }

        return ranges;
    }

    /// <summary>The id outside that an id inside stands for; null where it stands for none.</summary>
    public static uint? Outside(IReadOnlyList<RuntimeIdMapping> mappings, uint inside)
    {
        foreach (var mapping in mappings)
        {
            if (inside >= mapping.ContainerId && inside - mapping.ContainerId < mapping.Size)
            {
                return mapping.HostId + (inside - mapping.ContainerId);
            }
        }

        return null;
    }
}

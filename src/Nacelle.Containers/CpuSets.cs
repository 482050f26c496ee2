using Nacelle.Specs;

namespace Nacelle.Containers;

/// <summary>Lists of processors or memory nodes, such as <c>0-3,7</c>. See cpuset(7), "List format".</summary>
static class CpuSets
{
    const int Highest = 8191; // CONFIG_NR_CPUS of the largest kernels there are

    /// <returns>A mask of whole 64-bit words, the lowest number in the lowest bit; empty for an empty list.</returns>
    public static byte[] Parse(string list, string path)
    {
        var mask = new byte[(Highest + 1) / 8];
        int highest = -1;
        foreach (var part in list.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            int dash = part.IndexOf('-');
            if (!int.TryParse(dash < 0 ? part : part[..dash], out int first) || !int.TryParse(part[(dash + 1)..], out int last)
                || first < 0 || last < first || last > Highest)
            {
                throw new SpecException(path, $"'{list}' is no list of numbers such as 0-3,7");
            }

            for (int i = first; i <= last; i++)
            {
                mask[i / 8] |= (byte)(1 << (i % 8));
            }

            highest = Math.Max(highest, last);
        }

        return mask[..((highest + 64) / 64 * 8)];
    }
}

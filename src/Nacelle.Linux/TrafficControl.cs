using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Nacelle.Linux;

/// <summary>How fast traffic leaves by a device. See tc(8), tc-tbf(8) and tc-mirred(8).</summary>
public static class TrafficControl
{
    const ushort RTM_NEWQDISC = 36, RTM_GETQDISC = 38, RTM_NEWTFILTER = 44;
    const ushort TCA_KIND = 1, TCA_OPTIONS = 2, TCA_TBF_PARMS = 1, TCA_TBF_RATE64 = 4, TCA_TBF_BURST = 6;
    const uint TC_H_ROOT = uint.MaxValue, TC_H_INGRESS = 0xfffffff1, IngressHandle = 0xffff0000, LimitHandle = 0x10000;

    /// <summary>Ticks of the packet scheduler in a second: 64 ns each, since Linux 2.6.31.</summary>
    const double TicksPerSecond = 1e9 / 64;

    /// <summary>struct tcmsg.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 20)]
    struct Header
    {
        [FieldOffset(4)]
        public int Link;
        [FieldOffset(8)]
        public uint Handle;
        [FieldOffset(12)]
        public uint Parent;
        [FieldOffset(16)]
        public uint Information;
    }

    /// <summary>struct tc_tbf_qopt, which begins with struct tc_ratespec.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 36)]
    struct BucketOptions
    {
        [FieldOffset(8)]
        public uint BytesPerSecond;
        [FieldOffset(24)]
        public uint Limit;
        [FieldOffset(28)]
        public uint Buffer;
    }

    /// <summary>struct tc_u32_sel with one struct tc_u32_key, which matches everything.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 32)]
    struct Selector
    {
        [FieldOffset(0)]
        public byte Flags;
        [FieldOffset(2)]
        public byte KeyCount;
    }

    /// <summary>struct tc_mirred.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 28)]
    struct Redirection
    {
        [FieldOffset(8)]
        public int Action;
        [FieldOffset(20)]
        public int Direction;
        [FieldOffset(24)]
        public int Link;
    }

    /// <summary>Lets a device send no faster than a bucket of tokens fills.</summary>
    /// <remarks>EEXIST: it has another discipline already.</remarks>
    public static NetworkChange Limiting(NetworkLink link, TokenBucket bucket)
    {
        var options = new BucketOptions
        {
            BytesPerSecond = (uint)Math.Min(bucket.BytesPerSecond, uint.MaxValue),
            Limit = bucket.Queue,
            Buffer = (uint)Math.Min(bucket.Burst / (double)bucket.BytesPerSecond * TicksPerSecond, uint.MaxValue),
        };
        return new(
            $"limit {link.Name} to {bucket.BytesPerSecond} bytes per second",
            new NetlinkWriter(RTM_NEWQDISC, NetlinkSocket.NLM_F_CREATE | NetlinkSocket.NLM_F_EXCL)
                .Structure(new Header { Link = link.Index, Handle = LimitHandle, Parent = TC_H_ROOT })
                .Attribute(TCA_KIND, "tbf")
                .Nested(TCA_OPTIONS, list =>
                {
                    list.Attribute(TCA_TBF_PARMS, MemoryMarshal.AsBytes(new ReadOnlySpan<BucketOptions>(in options))).Attribute(TCA_TBF_BURST, bucket.Burst);
                    if (bucket.BytesPerSecond > uint.MaxValue)
                    {
                        list.Attribute(TCA_TBF_RATE64, BitConverter.GetBytes(bucket.BytesPerSecond));
                    }
                }));
    }

    /// <summary>Leads all that comes in by a device through another, as what that sends.</summary>
    public static IReadOnlyList<NetworkChange> Redirecting(NetworkLink link, NetworkLink target)
    {
        const ushort TCA_U32_CLASSID = 1, TCA_U32_SEL = 5, TCA_U32_ACT = 7, TCA_ACT_KIND = 1, TCA_ACT_OPTIONS = 2, TCA_MIRRED_PARMS = 2, FirstAction = 1;
        const int TC_ACT_STOLEN = 4, TCA_EGRESS_REDIR = 1;
        const byte TC_U32_TERMINAL = 1;
        const uint ClassId = 0x10001, Preference = 1;
        const ushort ETH_P_ALL = 3;
        var selector = new Selector { Flags = TC_U32_TERMINAL, KeyCount = 1 };
        var redirection = new Redirection { Action = TC_ACT_STOLEN, Direction = TCA_EGRESS_REDIR, Link = target.Index };
        return
        [
            new(
                $"queue what comes in by {link.Name}",
                new NetlinkWriter(RTM_NEWQDISC, NetlinkSocket.NLM_F_CREATE | NetlinkSocket.NLM_F_EXCL)
                    .Structure(new Header { Link = link.Index, Handle = IngressHandle, Parent = TC_H_INGRESS })
                    .Attribute(TCA_KIND, "ingress")),
            new(
                $"lead what comes in by {link.Name} through {target.Name}",
                new NetlinkWriter(RTM_NEWTFILTER, NetlinkSocket.NLM_F_CREATE | NetlinkSocket.NLM_F_EXCL)
                    .Structure(new Header { Link = link.Index, Parent = IngressHandle, Information = (Preference << 16) | BinaryPrimitives.ReverseEndianness(ETH_P_ALL) })
                    .Attribute(TCA_KIND, "u32")
                    .Nested(TCA_OPTIONS, list => list
                        .Attribute(TCA_U32_CLASSID, ClassId)
                        .Nested(TCA_U32_ACT, actions => actions.Nested(FirstAction, action => action
                            .Attribute(TCA_ACT_KIND, "mirred")
                            .Nested(TCA_ACT_OPTIONS, parameters => parameters.Attribute(TCA_MIRRED_PARMS, MemoryMarshal.AsBytes(new ReadOnlySpan<Redirection>(in redirection))))))
                        .Attribute(TCA_U32_SEL, MemoryMarshal.AsBytes(new ReadOnlySpan<Selector>(in selector))))),
        ];
    }

    /// <summary>The bucket that limits a device; null where none does.</summary>
    public static TokenBucket? FindLimit(NetlinkSocket network, NetworkLink link)
    {
        var replies = network.Query($"list the queues of {link.Name}", () => new NetlinkWriter(RTM_GETQDISC, NetlinkSocket.NLM_F_DUMP).Structure(new Header { Link = link.Index }));
        foreach (var reply in replies.Where(reply => reply.Structure<Header>() is var header && header.Link == link.Index && header.Parent == TC_H_ROOT))
        {
            bool isBucket = false;
            var attributes = reply.Attributes<Header>();
            while (attributes.MoveNext())
            {
                isBucket |= attributes.Type == TCA_KIND && attributes.Text == "tbf";
                if (attributes.Type == TCA_OPTIONS && isBucket)
                {
                    return Parse(attributes.Nested);
                }
            }
        }

        return null;
    }

    static TokenBucket? Parse(NetlinkAttributes list)
    {
        BucketOptions? found = null;
        ulong rate = 0;
        while (list.MoveNext())
        {
            if (list.Type == TCA_TBF_PARMS && list.Value.Length >= Unsafe.SizeOf<BucketOptions>())
            {
                found = MemoryMarshal.Read<BucketOptions>(list.Value);
            }
            else if (list.Type == TCA_TBF_RATE64 && list.Value.Length == sizeof(ulong))
            {
                rate = MemoryMarshal.Read<ulong>(list.Value);
            }
        }

        if (found is not { } options)
        {
            return null;
        }

        rate = Math.Max(rate, options.BytesPerSecond);
        return new TokenBucket(rate, (uint)Math.Round(options.Buffer / TicksPerSecond * rate), options.Limit);
    }
}

/// <summary>A bucket of tokens, one for each byte that may leave.</summary>
/// <param name="BytesPerSecond">How fast it fills.</param>
/// <param name="Burst">How many tokens it holds, in bytes.</param>
/// <param name="Queue">The most that waits for tokens, in bytes; the rest is dropped.</param>
public sealed record TokenBucket(ulong BytesPerSecond, uint Burst, uint Queue);

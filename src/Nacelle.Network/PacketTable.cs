using Nacelle.Linux;

namespace Nacelle.Network;

/// <summary>A table of ours in the packet filter, made when it is first needed. After that a pod costs a few elements of its sets, which come and go in one small transaction.</summary>
/// <param name="made">What tells that it is there in the form in which it is made here.</param>
/// <param name="make">Makes it, or what is missing of it. The rules themselves stay the same then, and hold no pod's name; nothing of another table is touched.</param>
sealed class PacketTable(NftablesFamily family, string made, Action<NftablesBatch> make) : IDisposable
{
    const string Table = "nacelle";

    readonly NftablesSocket socket = NftablesSocket.Open();

    public void Dispose() => socket.Dispose();

    /// <summary>Makes changes all together; and before that the table, where it is missing.</summary>
    /// <param name="chains">Makes chains to which the changes lead, where one is missing.</param>
    public void Change(Action<NftablesBatch> chains, Action<NftablesBatch> changes)
    {
        bool whole = socket.FindTable(family, Table) == made;
        for (bool last = false; ; last = true)
        {
            var batch = new NftablesBatch(family, Table);
            if (!whole)
            {
                batch.AddTable(made);
                make(batch);
                chains(batch);
            }

            changes(batch);
            try
            {
                socket.Commit(batch);
                return;
            }
            catch (KernelException failure) when (failure.Errno == Errno.ENOENT && !last)
            {
                whole = false; // chains are missing, or somebody has cleared the table
            }
        }
    }

    public NftablesElement? Find(string set, byte[] key) => socket.FindElement(family, Table, set, key);

    public IReadOnlyList<NftablesElement> List(string set) => socket.ListElements(family, Table, set);

    /// <summary>Removes elements by their owners.</summary>
    public void Remove(IEnumerable<string> sets, Func<string, bool> isOwner)
    {
        const int Most = 10;
        for (int round = 1; ; round++)
        {
            var batch = new NftablesBatch(family, Table);
            foreach (var set in sets)
            {
                foreach (var element in List(set).Where(element => element.Comment is { } owner && isOwner(owner)))
                {
                    batch.RemoveElement(set, element.Key);
                }
            }

            try
            {
                socket.Commit(batch);
                return;
            }
            catch (KernelException failure) when (failure.Errno == Errno.ENOENT && round < Most)
            {
                // Somebody else has removed one of them meanwhile.
            }
        }
    }

    /// <summary>Removes what belongs to attachments of the call's network that are not valid.</summary>
    public void Collect(PluginCall call, IEnumerable<string> sets)
    {
        string network = PluginOptions.NetworkOf(call);
        var valid = PluginOptions.ReadValidAttachments(call).Select(attachment => RuleOwner.Of(network, attachment.Container, attachment.Interface)).ToHashSet(StringComparer.Ordinal);
        Remove(sets, owner => owner.StartsWith(RuleOwner.PrefixOf(network), StringComparison.Ordinal) && !valid.Contains(owner));
    }
}

using Nacelle.Specs;

namespace Nacelle.Oci;

/// <summary>What is known of a container, in the file <c>state.json</c> of its directory.</summary>
sealed record ContainerRecord
{
    public required string Id { get; init; }

    /// <summary>An absolute path.</summary>
    public required string Bundle { get; init; }

    public required string Rootfs { get; init; }

    public DateTimeOffset Created { get; init; }

    /// <summary>The container's process on the host, or 0 as long as there is none.</summary>
    public int Pid { get; init; }

    /// <summary>When that process started; see <see cref="Linux.ProcessStatus.StartTime"/>.</summary>
    public ulong StartTime { get; init; }

    /// <summary>The container's control group, as <see cref="Linux.CgroupPath.ToString"/> writes it, or null when it has none of its own.</summary>
    public string? Cgroup { get; init; }

    /// <summary>How many groups were made for the container and go with it: 0 where somebody else had made its own, more than 1 with parents.</summary>
    public int CgroupsMade { get; init; }

    /// <summary>The systemd unit whose control group that is, or null.</summary>
    public string? Unit { get; init; }

    /// <summary>The session keyring, or null.</summary>
    public string? Keyring { get; init; }

    /// <summary>Who created the container.</summary>
    public uint Owner { get; init; }

    public byte[] ToJson() => SpecWriter.Write(this, (json, record) =>
    {
        json.Text("id", record.Id);
        json.Text("bundle", record.Bundle);
        json.Text("rootfs", record.Rootfs);
        json.Text("created", record.Created.ToString("O"));
        json.Number("pid", record.Pid);
        json.Unsigned("startTime", record.StartTime);
        json.Text("cgroup", record.Cgroup);
        json.Number("cgroupsMade", record.CgroupsMade);
        json.Text("unit", record.Unit);
        json.Text("keyring", record.Keyring);
        json.Unsigned("owner", record.Owner);
    });

    public static ContainerRecord Parse(byte[] text, string source) => SpecNode.Parse(text, source, node => new ContainerRecord
    {
        Id = node.Need("id").Text(),
        Bundle = node.Need("bundle").Text(),
        Rootfs = node.Need("rootfs").Text(),
        Created = DateTimeOffset.Parse(node.Need("created").Text(), System.Globalization.CultureInfo.InvariantCulture),
        Pid = node.Need("pid").Int(),
        StartTime = node.Need("startTime").ULong(),
        Cgroup = node.FindText("cgroup"),
        CgroupsMade = node.Need("cgroupsMade").Int(),
        Unit = node.FindText("unit"),
        Keyring = node.FindText("keyring"),
        Owner = node.Need("owner").UInt(),
    });
}

using Nacelle.Linux;

namespace Nacelle.Images;

/// <summary>A directory in the layer being unpacked: where it is, and which attributes it gets once everything is in it.</summary>
sealed class LayerDirectory(LayerDirectory? parent, string name)
{
    public LayerDirectory? Parent { get; } = parent;

    public string Name { get; } = name;

    public int Depth { get; } = parent is null ? 0 : parent.Depth + 1;

    public Dictionary<string, LayerDirectory>? Children { get; private set; }

    /// <summary>Null as long as no entry has described the directory.</summary>
    public LayerAttributes? Attributes { get; set; }

    /// <summary>Was there before the layer, and keeps its attributes unless an entry describes it.</summary>
    public bool Found { get; init; }

    /// <summary>Content of lower layers does not show in it.</summary>
    public bool Opaque { get; set; }

    /// <summary>Is another directory than the one that lower layers may have, which a whiteout has removed: opaque, and its attributes are its own.</summary>
    public bool Fresh { get; set; }

    /// <summary>Nothing of lower layers shows here: this directory or one above is opaque.</summary>
    public bool HidesLower => Opaque || Fresh || (Parent?.HidesLower ?? false);

    /// <summary>Open or not, as <see cref="LayerTree"/> sees fit.</summary>
    public FileDescriptor? Descriptor { get; set; }

    public LinkedListNode<LayerDirectory>? Use { get; set; }

    public string Path => Parent is null ? "" : Parent.Parent is null ? Name : $"{Parent.Path}/{Name}";

    public void Add(LayerDirectory child) => (Children ??= new(StringComparer.Ordinal)).Add(child.Name, child);
}

/// <summary>What an archive says of a file beside its content.</summary>
sealed record LayerAttributes(uint Mode, uint Owner, uint Group, Timestamp Access, Timestamp Modification, TarAttribute[] Extended);

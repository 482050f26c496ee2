namespace Nacelle.Pods;

/// <summary>Whether what a pod sees of its images is held against what was unpacked.</summary>
public enum LayerCheck
{
    /// <summary>Where all layers of an image are sealed: see <see cref="Images.LayerStore.TryOpenSealed"/>.</summary>
    Seals,

    None,
}

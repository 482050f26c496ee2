using Nacelle.Specs;

namespace Nacelle.Oci;

/// <summary>A container as state and list show it: the specification's members, and those that other runtimes add.</summary>
static class ContainerView
{
    public static byte[] ToJson(Container container) => SpecWriter.Write(container, Write, indented: true);

    public static void Write(SpecWriter json, Container container)
    {
        var state = container.State(container.Status);
        json.Text("ociVersion", state.OciVersion);
        json.Text("id", state.Id);
        json.Number("pid", state.Pid);
        json.Text("status", state.Status);
        json.Text("bundle", state.Bundle);
        json.Text("rootfs", container.Record.Rootfs);
        json.Text("created", Created(container));
        json.Map("annotations", state.Annotations);
        json.Text("owner", "");
    }

    public static string Created(Container container) => container.Record.Created.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'");
}

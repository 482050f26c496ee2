namespace Nacelle.Specs;

/// <summary>Reading and writing appc's manifests: names as in appc 0.8.11, spec/aci.md and spec/pods.md.</summary>
static class AppcJson
{
    public static PodManifest ReadPod(SpecNode node) => new()
    {
        AcVersion = node.Need("acVersion").Text(),
        AcKind = node.Need("acKind").Text(),
        Apps = node.Find("apps") is null ? throw new SpecException("apps", "is missing") : node.List("apps", ReadPodApp),
        Volumes = node.List("volumes", ReadVolume),
        Isolators = node.List("isolators", ReadIsolator),
        Annotations = node.List("annotations", ReadAnnotation),
        Ports = node.List("ports", port => new PodPort
        {
            Name = ReadName(port),
            HostPort = port.Find("hostPort")?.UInt() ?? 0,
            HostIP = port.FindText("hostIP"),
            Port = port.Find("podPort", ReadPort),
        }),
        UserAnnotations = node.Map("userAnnotations"),
        UserLabels = node.Map("userLabels"),
    };

    public static AppImageManifest ReadImage(SpecNode node) => new()
    {
        AcKind = node.Need("acKind").Text(),
        AcVersion = node.Need("acVersion").Text(),
        Name = node.Need("name").Text(),
        Labels = node.List("labels", ReadAnnotation),
        App = node.Find("app", ReadApp),
        Dependencies = node.List("dependencies", ReadDependency),
        PathWhitelist = node.Texts("pathWhitelist"),
        Annotations = node.List("annotations", ReadAnnotation),
    };

    static ImageDependency ReadDependency(SpecNode node) => new()
    {
        ImageName = node.Need("imageName").Text(),
        ImageId = node.Find("imageID") is { } id && id.Text() is { Length: > 0 } text ? Digest.Parse(text.Replace('-', ':'), id.Path) : null,
        Labels = node.List("labels", ReadAnnotation),
        Size = node.Find("size")?.ULong(),
    };

    static PodApp ReadPodApp(SpecNode node) => new()
    {
        Name = ReadName(node),
        Image = ReadPodImage(node.Need("image")),
        App = node.Find("app", ReadApp),
        ReadOnlyRootFileSystem = node.FindFlag("readOnlyRootFS"),
        Mounts = node.List("mounts", mount => new PodMount { Volume = ReadName(mount, "volume"), Path = mount.Need("path").Text() }),
        Annotations = node.List("annotations", ReadAnnotation),
    };

    static PodImage ReadPodImage(SpecNode node) => new()
    {
        Id = node.Need("id").Text(),
        Name = node.FindText("name"),
        Labels = node.List("labels", ReadAnnotation),
    };

    static App ReadApp(SpecNode node) => new()
    {
        Exec = node.Texts("exec"),
        User = node.Need("user").Text(),
        Group = node.Need("group").Text(),
        SupplementaryGroups = node.List("supplementaryGIDs", gid => gid.UInt()),
        EventHandlers = node.List("eventHandlers", handler => new AppEventHandler(handler.Need("name").Text(), handler.Texts("exec"))),
        WorkingDirectory = node.FindText("workingDirectory"),
        Environment = node.List("environment", ReadAnnotation),
        MountPoints = node.List("mountPoints", point => new MountPoint
        {
            Name = ReadName(point),
            Path = point.Need("path").Text(),
            ReadOnly = point.FindFlag("readOnly"),
        }),
        Ports = node.List("ports", ReadPort),
        Isolators = node.List("isolators", ReadIsolator),
        UserAnnotations = node.Map("userAnnotations"),
        UserLabels = node.Map("userLabels"),
    };

    static AppPort ReadPort(SpecNode node) => new()
    {
        Name = ReadName(node),
        Protocol = node.Need("protocol").Text(),
        Port = node.Need("port").UInt(),
        Count = node.Find("count")?.UInt() ?? 1,
        SocketActivated = node.FindFlag("socketActivated"),
    };

    static PodVolume ReadVolume(SpecNode node) => new()
    {
        Name = ReadName(node),
        Kind = node.Need("kind").Text(),
        Source = node.FindText("source"),
        ReadOnly = node.Find("readOnly")?.Flag(),
        Recursive = node.Find("recursive")?.Flag(),
        Mode = node.FindText("mode"),
        Uid = node.Find("uid")?.UInt(),
        Gid = node.Find("gid")?.UInt(),
    };

    static Isolator ReadIsolator(SpecNode node) => new(node.Need("name").Text(), node.Need("value").Raw());

    static Annotation ReadAnnotation(SpecNode node) => new(node.Need("name").Text(), node.Need("value").Text());

    static AppName ReadName(SpecNode node, string member = "name")
    {
        var name = node.Need(member);
        return AppName.Parse(name.Text(), name.Path);
    }

    public static void Write(SpecWriter json, PodManifest pod)
    {
        json.Text("acVersion", pod.AcVersion);
        json.Text("acKind", pod.AcKind);
        json.List("apps", pod.Apps, Write, always: true);
        json.List("volumes", pod.Volumes, Write, always: true);
        json.List("isolators", pod.Isolators, Write, always: true);
        json.List("annotations", pod.Annotations, Write, always: true);
        json.List("ports", pod.Ports, (port, value) =>
        {
            port.Text("name", value.Name.ToString());
            port.Unsigned("hostPort", value.HostPort);
            port.Text("hostIP", value.HostIP);
            port.Object("podPort", value.Port, Write);
        }, always: true);
        json.Map("userAnnotations", pod.UserAnnotations);
        json.Map("userLabels", pod.UserLabels);
    }

    public static void Write(SpecWriter json, AppImageManifest image)
    {
        json.Text("acKind", image.AcKind);
        json.Text("acVersion", image.AcVersion);
        json.Text("name", image.Name);
        json.List("labels", image.Labels, Write);
        json.Object("app", image.App, Write);
        json.List("dependencies", image.Dependencies, (one, value) =>
        {
            one.Text("imageName", value.ImageName);
            one.Text("imageID", value.ImageId?.FileName);
            one.List("labels", value.Labels, Write);
            one.Unsigned("size", value.Size);
        });
        json.Texts("pathWhitelist", image.PathWhitelist);
        json.List("annotations", image.Annotations, Write);
    }

    static void Write(SpecWriter json, PodApp app)
    {
        json.Text("name", app.Name.ToString());
        json.Object("image", app.Image, (image, value) =>
        {
            image.Text("id", value.Id);
            image.Text("name", value.Name);
            image.List("labels", value.Labels, Write);
        });
        json.Object("app", app.App, Write);
        json.Flag("readOnlyRootFS", app.ReadOnlyRootFileSystem ? true : null);
        json.List("mounts", app.Mounts, (mount, value) =>
        {
            mount.Text("volume", value.Volume.ToString());
            mount.Text("path", value.Path);
        });
        json.List("annotations", app.Annotations, Write);
    }

    static void Write(SpecWriter json, App app)
    {
        json.Texts("exec", app.Exec);
        json.Text("user", app.User);
        json.Text("group", app.Group);
        json.Unsigneds("supplementaryGIDs", app.SupplementaryGroups);
        json.List("eventHandlers", app.EventHandlers, (one, value) =>
        {
            one.Text("name", value.Name);
            one.Texts("exec", value.Exec);
        });
        json.Text("workingDirectory", app.WorkingDirectory);
        json.List("environment", app.Environment, Write);
        json.List("mountPoints", app.MountPoints, (point, value) =>
        {
            point.Text("name", value.Name.ToString());
            point.Text("path", value.Path);
            point.Flag("readOnly", value.ReadOnly ? true : null);
        });
        json.List("ports", app.Ports, Write);
        json.List("isolators", app.Isolators, Write);
        json.Map("userAnnotations", app.UserAnnotations);
        json.Map("userLabels", app.UserLabels);
    }

    static void Write(SpecWriter json, PodVolume volume)
    {
        json.Text("name", volume.Name.ToString());
        json.Text("kind", volume.Kind);
        json.Text("source", volume.Source);
        json.Flag("readOnly", volume.ReadOnly);
        json.Flag("recursive", volume.Recursive);
        json.Text("mode", volume.Mode);
        json.Unsigned("uid", volume.Uid);
        json.Unsigned("gid", volume.Gid);
    }

    static void Write(SpecWriter json, AppPort port)
    {
        json.Text("name", port.Name.ToString());
        json.Text("protocol", port.Protocol);
        json.Unsigned("port", port.Port);
        json.Unsigned("count", port.Count);
        json.Flag("socketActivated", port.SocketActivated ? true : null);
    }

    static void Write(SpecWriter json, Isolator isolator)
    {
        json.Text("name", isolator.Name);
        json.Raw("value", isolator.Value);
    }

    static void Write(SpecWriter json, Annotation annotation)
    {
        json.Text("name", annotation.Name);
        json.Text("value", annotation.Value);
    }
}

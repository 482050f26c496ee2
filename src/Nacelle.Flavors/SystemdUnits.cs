using System.Text;
using Nacelle.Containers;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Flavors;

/// <summary>Writes an app's unit for the pod's systemd. The image brings what is the same for all: the reaper, the preparation of roots, the end.</summary>
/// <remarks>rkt's units; see systemd.unit(5), systemd.service(5), systemd.exec(5), systemd.resource-control(5).</remarks>
static class SystemdUnits
{
    const string Directory = "stage1/rootfs/etc/systemd/system";

    static readonly FileDescriptor Here = FileDescriptor.WorkingDirectory;

    public static void Write(PodApp app, RuntimeConfig config, Stage1Options options)
    {
        var name = app.Name.ToString();
        var process = config.Process!;
        Files.EnsureDirectory(Here, "stage1/rootfs/rkt/env");
        Files.WriteAll(Here, $"stage1/rootfs/rkt/env/{name}", string.Concat(process.Env.Select(SystemdText.Variable)), 0x180);
        bool notifies = app.Annotations.Any(one => one.Name == "appc.io/executor/supports-systemd-notify" && one.Value == "true");
        var unit = new StringBuilder();
        unit.Append($"""
            [Unit]
            Description=Application={name} Image={SystemdText.Specifier(app.Image.Name ?? app.Image.Id)}
            DefaultDependencies=no
            Wants=reaper@{name}.service
            Requires=prepare-app@{name}.service systemd-journald.socket
            After=reaper@{name}.service prepare-app@{name}.service systemd-journald.socket
            Conflicts=shutdown.target
            Before=shutdown.target
            OnFailure=halt.target

            [Service]
            Type={(notifies ? "notify" : "simple")}
            NotifyAccess={(notifies ? "main" : "none")}
            Restart=no
            RootDirectory=/opt/stage2/{name}/rootfs
            WorkingDirectory={SystemdText.Specifier(process.Cwd)}
            EnvironmentFile=/rkt/env/{name}
            User={process.User.Uid}
            Group={process.User.Gid}
            SupplementaryGroups={string.Join(' ', process.User.AdditionalGids)}
            UMask=0022
            TimeoutStartSec=0
            TimeoutStopSec=10
            KillMode=mixed
            KillSignal={(int)FlavorDemands.StopSignal(app)}
            SyslogIdentifier={name}
            ExecStart={Command(config, name, process.Args)}

            """);
        foreach (var (kind, exec) in app.App?.EventHandlers ?? [])
        {
            unit.Append($"{(kind == "pre-start" ? "ExecStartPre" : "ExecStopPost")}={Command(config, name, exec)}\n");
        }

        bool terminal = options.Interactive && Terminal.IsTerminal(FileDescriptor.StandardInput);
        unit.Append(terminal ? "StandardInput=tty-force\nStandardOutput=tty\nStandardError=tty\n"
            : $"StandardInput={(options.Interactive ? "tty-force" : "null")}\nStandardOutput=journal+console\nStandardError=journal+console\n");
        SystemdConfinement.Append(unit, config, options);
        WriteSockets(app, name, unit);
        Files.WriteAll(Here, $"{Directory}/{name}.service", unit.ToString());
    }

    /// <summary>The target that systemd starts: all apps at once.</summary>
    public static void WriteDefaultTarget(PodManifest manifest)
    {
        var services = string.Join(' ', manifest.Apps.Select(app => $"{app.Name}.service"));
        Files.WriteAll(Here, $"{Directory}/default.target", $"""
            [Unit]
            Description=The pod's apps
            DefaultDependencies=no
            Requires=systemd-journald.service
            Wants={services} supervisor-ready.service systemd-journal-flush.service
            After=systemd-journald.service {services}
            AllowIsolate=yes

            """);
        Files.EnsureDirectory(Here, $"{Directory}/supervisor-ready.service.d");
        Files.WriteAll(Here, $"{Directory}/supervisor-ready.service.d/apps.conf", $"[Unit]\nAfter={services}\n");
    }

    /// <summary>Sockets that the pod's systemd listens on for the app, or takes over from the host's (LISTEN_FDS).</summary>
    static void WriteSockets(PodApp app, string name, StringBuilder unit)
    {
        var ports = app.App?.Ports.Where(port => port.SocketActivated).ToList() ?? [];
        if (ports.Count == 0)
        {
            return;
        }

        unit.Append($"Sockets={name}.socket\n").Insert(unit.ToString().IndexOf("\n[Service]", StringComparison.Ordinal), $"Requires={name}.socket\nAfter={name}.socket\n");
        var listen = string.Concat(ports.SelectMany(port => Enumerable.Range((int)port.Port, (int)port.Count).Select(number => $"{(port.Protocol == "udp" ? "ListenDatagram" : "ListenStream")}={number}\n")));
        Files.WriteAll(Here, $"{Directory}/{name}.socket", $"""
            [Unit]
            Description=Sockets of app {name}
            DefaultDependencies=no
            Conflicts=shutdown.target
            Before=shutdown.target

            [Socket]
            Service={name}.service
            {listen}
            """);
    }

    /// <summary>A command line whose program is found as the image's PATH has it, and is still called by the name that was given.</summary>
    static string Command(RuntimeConfig config, string app, IReadOnlyList<string> arguments)
    {
        var process = config.Process! with { Args = arguments };
        using var root = Files.Open($"{PodDirectory.Bundle(app)}/rootfs", OpenFlags.Path | OpenFlags.Directory);
        foreach (var candidate in ContainerPlan.ProgramCandidates(process))
        {
            var path = candidate.StartsWith('/') ? candidate : $"{process.Cwd.TrimEnd('/')}/{candidate}";
            using var file = Files.TryOpen(root, path.TrimStart('/'), OpenFlags.Path, out _, resolve: ResolveFlags.InRoot | ResolveFlags.NoMagicLinks);
            if (file is not null && Files.Status(file) is { Kind: FileKind.Regular } status && (status.Permissions & 0x49) != 0)
            {
                return $"@{SystemdText.Argument(path)} {string.Join(' ', arguments.Select(SystemdText.Argument))}";
            }
        }

        return $"@{SystemdText.Argument(arguments[0].StartsWith('/') ? arguments[0] : $"/usr/bin/{arguments[0]}")} {string.Join(' ', arguments.Select(SystemdText.Argument))}";
    }
}

namespace Nacelle.EndToEnd.Tests;

/// <summary>A pod of the flavor systemd as a service of a Debian whose process 1 is systemd: readiness, sockets, the unit that it lives in.</summary>
public sealed class SystemdServiceTests : IDisposable
{
    readonly Machine machine = new();

    public void Dispose() => machine.Dispose();

    [Fact]
    public void A_service_is_ready_when_its_apps_are_and_hands_its_sockets_over()
    {
        SystemdFlavorTests.RequireImage();
        Machine.Require("/usr/bin/systemd-nspawn", "/usr/sbin/debootstrap");
        var share = machine.Path + "/share";
        Directory.CreateDirectory(share);
        Machine.Script(share, $"cp -a {TestImages.Busybox.Split(':')[1]} busybox");
        File.WriteAllText(share + "/script", """
            n="PROGRAM --dir=/run/data --insecure-options=image"
            id=$($n fetch --full oci:/run/share/busybox:busybox 2>/dev/null)
            cat >/run/pod.json <<J
            {"acVersion":"0.8.11","acKind":"PodManifest","apps":[{"name":"web","image":{"id":"$id"},"app":{"exec":["/bin/sh","-c","trap 'exit 0' TERM; echo sockets $LISTEN_FDS; while true; do sleep 0.05; done"],
             "user":"0","group":"0","ports":[{"name":"web","protocol":"tcp","port":7000,"socketActivated":true}]}}]}
            J
            cat >/run/systemd/system/pod.service <<U
            [Service]
            Type=notify
            NotifyAccess=all
            KillMode=mixed
            Environment=HOME=/root
            ExecStart=$n run --stage1-name=nacelle/stage1-systemd --pod-manifest=/run/pod.json
            U
            printf '[Socket]\nListenStream=7000\n' >/run/systemd/system/pod.socket
            systemctl daemon-reload; systemctl start pod.socket; systemctl start pod.service
            systemctl show --property=ActiveState,StatusText pod.service
            uuid=$($n list --full --no-legend | cut -f 1)
            grep -q pod.service/supervisor /proc/$(systemctl show --property=MainPID --value pod.service)/cgroup && echo in its unit
            for i in $(seq 100); do journalctl -M rkt-$uuid -t web -o cat --no-pager | grep sockets && break; sleep 0.1; done
            $n stop $uuid >/dev/null; for i in $(seq 100); do [ "$(systemctl show --property=ActiveState --value pod.service)" = active ] || break; sleep 0.1; done
            systemctl show --property=ActiveState,ExecMainStatus pod.service
            """.Replace("PROGRAM", Machine.Program, StringComparison.Ordinal).Replace("$LISTEN_FDS", "\\$LISTEN_FDS", StringComparison.Ordinal));
        var result = Machine.Run("/bin/sh", "-c", $"cd {SlidesTests.Repository()} && exec eng/systemd-host.sh --timeout 100 --share {share} -- sh /run/share/script");
        Assert.Equal(
            "ActiveState=active\nStatusText=Container running: Ready.\nin its unit\nsockets 1\nActiveState=inactive\nExecMainStatus=0\n".Split('\n').Order(StringComparer.Ordinal),
            result.Output.Split('\n').Order(StringComparer.Ordinal));
    }
}

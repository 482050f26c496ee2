namespace Nacelle.EndToEnd.Tests;

/// <summary>The unit files that come with us, under a systemd that has booted.</summary>
public sealed class DistributedUnitTests
{
    /// <summary>Installed as a distribution would.</summary>
    static readonly string Install = $"""
        mkdir /var/lib/nacelle; mount -t tmpfs none /var/lib/nacelle # overlayfs cannot lie upon itself, as the host's own root does
        ln -s $program /usr/bin/nacelle; nacelle="nacelle --insecure-options=image"
        cp {Machine.Sources}/dist/systemd/* /etc/systemd/system/
        systemctl daemon-reload

        """;

    [Fact]
    public void They_are_understood_to_the_letter() =>
        Assert.Equal("nothing to complain of\n", SystemdHost.Run(Install + "systemd-analyze verify --man=no /etc/systemd/system/nacelle-* && echo nothing to complain of"));

    [Fact]
    public void The_metadata_service_starts_by_its_socket_and_answers_pods() => Assert.Equal("inactive\nactive\ntext/plain\nthe same\n", SystemdHost.Run(Install + """
        systemctl start nacelle-metadata.service
        until [ -e /var/lib/nacelle/metadata-service ]; do sleep 0.1; done; systemctl stop nacelle-metadata.service # which leaves word where it listens
        systemctl start nacelle-metadata.socket; systemctl is-active nacelle-metadata.service || true
        $nacelle run --mds-register --net=host --uuid-file-save=/run/uuid $image --exec=/bin/sh -- -c 'busybox wget -qO- $AC_METADATA_URL/acMetadata/v1/pod/uuid' >/run/answer 2>/run/errors || cat /run/errors
        systemctl is-active nacelle-metadata.service; echo text/plain
        [ "$(cat /run/answer)" = "$(cat /run/uuid)" ] && echo the same
        """));

    [Fact]
    public void The_API_starts_by_its_socket() => Assert.Equal("inactive\nactive\n", SystemdHost.Run(Install + """
        systemctl start nacelle-api.socket; systemctl is-active nacelle-api.service || true
        bash -c 'exec 3<>/dev/tcp/127.0.0.1/15441; printf "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0" >&3; head -c 9 <&3 >/run/settings'
        [ "$(wc -c </run/settings)" = 9 ]; systemctl is-active nacelle-api.service
        """));

    [Fact]
    public void The_timer_collects() => Assert.Equal("exited garbage\n0\n", SystemdHost.Run(Install + """
        systemctl start nacelle-gc.timer; systemctl list-timers nacelle-gc.timer | grep -q nacelle-gc.service
        $nacelle run $image --exec=/bin/true; systemctl start nacelle-gc.service
        $nacelle list --no-legend | grep -o 'exited garbage'
        $nacelle gc --grace-period=0s >/dev/null; $nacelle list --no-legend | wc -l
        """));

    [Fact]
    public void A_template_runs_a_pod_for_each_instance() => Assert.Equal("active\nactive\none: hello two: hello\ninactive\n0\n", SystemdHost.Run(Install + """
        $nacelle generate systemd --template -- $image --name=%i --exec=/bin/sh -- -c 'echo hello; trap "exit 0" TERM; while true; do sleep 0.1; done' >/etc/systemd/system/pod@.service
        systemd-analyze verify --man=no /etc/systemd/system/pod@.service; systemctl daemon-reload
        systemctl start pod@one pod@two || journalctl -o cat -u pod@one; systemctl is-active pod@one pod@two
        journalctl --sync; echo one: $(journalctl -o cat -u pod@one -t one) two: $(journalctl -o cat -u pod@two -t two)
        systemctl stop pod@one pod@two; systemctl is-active pod@one || true
        $nacelle list --no-legend | wc -l
        """));
}

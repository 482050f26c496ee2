namespace Nacelle.EndToEnd.Tests;

/// <summary>The dialogue that rkt was introduced with, from the image's name to machinectl and journalctl, on a Debian whose process 1 is systemd.</summary>
public sealed class SlidesTests : IDisposable
{
    readonly Machine machine = new();

    public void Dispose() => machine.Dispose();

    [Fact]
    public void Redis_is_fetched_prepared_run_and_looked_at()
    {
        SystemdFlavorTests.RequireImage();
        Machine.Require("/usr/bin/umoci", "/usr/bin/systemd-nspawn", "/usr/sbin/debootstrap");
        var root = Repository();
        var share = machine.Path + "/share";
        Directory.CreateDirectory(share);
        using var site = new AppcSite(machine.Path);
        var key = site.MakeKey("Example <example@example.com>");
        Machine.Script(machine.Path, $"{root}/eng/redis-image.sh redis >/dev/null; umoci unpack --image redis:redis bundle >/dev/null");
        site.PublishTree("example.com/redis", machine.Path + "/bundle/rootfs", """{"exec":["/usr/bin/redis-server","--bind","127.0.0.1","--dir","/data","--always-show-logo","yes"],"user":"redis","group":"redis"}""", key);

        // The data directory has the same path there and here: pods say where they are.
        site.Run("/bin/sh", "-ec", $"mount -t tmpfs tmpfs /run; mkdir /run/share; mount --bind {share} /run/share");
        Result Nacelle(params string[] arguments) => site.Run(Machine.Program, ["--dir=/run/share/data", $"--local-config={machine.Path}/config", .. arguments]);
        Assert.Equal(0, Nacelle("trust", "--prefix=example.com/redis", "--skip-fingerprint-review", site.Export(key)).ExitCode);
        var fetched = Nacelle("fetch", "example.com/redis");
        Assert.Contains("image: signature verified:\n  Example <example@example.com>", fetched.Errors, StringComparison.Ordinal);
        Assert.StartsWith("sha512-", fetched.Output, StringComparison.Ordinal);

        var prepared = Nacelle("prepare", SystemdFlavorTests.Systemd, "example.com/redis");
        Assert.True(prepared.ExitCode == 0, prepared.ToString());
        var uuid = prepared.Output.Trim();
        foreach (var file in (string[])["appsinfo/redis/manifest", "appsinfo/redis/treeStoreID", "overlay-prepared", "pod", "stage1/manifest", "stage1TreeStoreID"])
        {
            Assert.True(File.Exists($"{share}/data/pods/prepared/{uuid}/{file}"), file);
        }

        File.WriteAllText(share + "/slides", $"""
            n="{Machine.Program} --dir=/run/share/data"
            $n run-prepared {uuid} >/run/output 2>&1 &
            for i in $(seq 200); do journalctl -M rkt-{uuid} 2>/dev/null | grep -q 'Ready to accept' && break; sleep 0.1; done
            echo '== banner'; grep -c 'Running in standalone mode' /run/output
            echo '== list'; $n list --no-legend | cut -f 1,3 | cut -c 1-8; $n status {uuid} | grep -E '^(state|exited)='
            echo '== machinectl'; machinectl list --no-legend --no-pager | awk '{"{"}print $1, $2, $3{"}"}'
            echo '== journalctl'; journalctl -M rkt-{uuid} -t redis --no-pager -o cat | grep -o 'Ready to accept connections'
            echo '== tree'; cat /proc/$($n status {uuid} | sed -n 's/^pid=//p')/comm; ls -d /var/log/journal/{uuid.Replace("-", "", StringComparison.Ordinal)} >/dev/null && echo linked
            echo '== enter'; $n enter {uuid} redis-cli ping
            echo '== stop'; $n stop {uuid}; wait; echo $?; $n status {uuid} | grep -E '^(state|app-)'
            machinectl list --no-legend --no-pager | wc -l
            $n rm {uuid}
            """);
        var shown = Machine.Run("/bin/sh", "-c", $"cd {root} && exec eng/systemd-host.sh --timeout 150 --share {share} -- sh /run/share/slides");
        Assert.True(shown.ExitCode == 0, shown.ToString());
        Assert.Equal(
            $"""
            == banner
            1
            == list
            {uuid[..8]}
            state=running
            exited=false
            == machinectl
            rkt-{uuid} container rkt
            == journalctl
            Ready to accept connections
            == tree
            systemd
            linked
            == enter
            PONG
            == stop
            "{uuid}"
            0
            state=exited
            app-redis=0
            0
            "{uuid}"

            """, shown.Output.ReplaceLineEndings("\n"));
        Assert.Empty(Directory.GetDirectories(share + "/data/pods").SelectMany(Directory.GetDirectories));
    }

    internal static string Repository()
    {
        var root = AppContext.BaseDirectory;
        while (!File.Exists(root + "/eng/systemd-host.sh"))
        {
            root = Path.GetDirectoryName(root) ?? throw new InvalidOperationException("eng/systemd-host.sh is not above the tests");
        }

        return root;
    }
}

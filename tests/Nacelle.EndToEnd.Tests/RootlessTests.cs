namespace Nacelle.EndToEnd.Tests;

/// <summary>Pods of somebody who is not root, and has ranges of users and groups.</summary>
public sealed class RootlessTests : IDisposable
{
    const int User = 12345;

    readonly Machine machine = new();

    public RootlessTests()
    {
        Machine.Require("/usr/bin/newuidmap", "/usr/bin/setpriv", "/usr/bin/unshare");
        Machine.Script(machine.Path, $"""
            chmod 711 .; mkdir home; chown {User}:{User} home; cp /etc/passwd passwd; echo 'rootless:x:{User}:{User}::{Home}:/bin/sh' >>passwd; echo 'rootless:1000000:65536' >ranges
            """);
    }

    public void Dispose()
    {
        if (File.Exists($"{Home}/.local/share/nacelle/users"))
        {
            var keeper = File.ReadAllText($"{Home}/.local/share/nacelle/users").Split(' ')[0];
            Machine.Run("/bin/kill", keeper);
            Machine.Eventually(() => !Directory.Exists($"/proc/{keeper}"), "the process that keeps the user namespace ends");
        }

        machine.Dispose();
    }

    string Home => $"{machine.Path}/home";

    /// <summary>Runs a shell script as that user, in which <c>$n</c> is nacelle.</summary>
    /// <param name="network">On a machine whose network is its own: it is 192.0.2.1 there, and nobody else is.</param>
    Result As(string script, bool network = false)
    {
        const string Up = "ip link set lo up; ip link add up0 type veth peer name down0; ip addr add 192.0.2.1/24 dev up0; ip link set up0 up; ip link set down0 up; ip route add default via 192.0.2.2";
        var result = Machine.Run(
            "/usr/bin/unshare",
            "--mount", network ? "--net" : "--fork", "/bin/sh", "-ec",
            $"""
            {(network ? Up : ":")}
            mount --bind {machine.Path}/passwd /etc/passwd; mount --bind {machine.Path}/ranges /etc/subuid; mount --bind {machine.Path}/ranges /etc/subgid
            exec setpriv --reuid={User} --regid={User} --clear-groups env -i HOME={Home} PATH=/usr/bin:/bin:/usr/sbin:/sbin /bin/sh -c "$1"
            """,
            "sh", $"n='{Machine.Program} --insecure-options=image'; cd; {script}");
        Assert.SkipWhen(result.Errors.Contains("Permission denied", StringComparison.Ordinal) && result.Errors.Contains(Machine.Program, StringComparison.Ordinal), "the executables are not readable for others here");
        return result;
    }

    string Image
    {
        get
        {
            Machine.Script(machine.Path, $"[ -e busybox ] || cp -r {TestImages.Busybox.Split(':')[1]} busybox; chmod -R a+rX busybox");
            return $"oci:{machine.Path}/busybox:busybox";
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("--no-overlay")]
    [InlineData("--net=host")]
    public void A_pod_runs_with_its_own_root_and_its_own_users(string flags)
    {
        var run = As($"$n run {flags} {Image} --exec=/bin/sh -- -c 'id -u; cat /proc/self/uid_map | head -n 1; touch /tmp/f; chown 1000:1000 /tmp/f; stat -c %u /tmp/f; ls / >/dev/null; head -c 1 /dev/zero | wc -c; exit 7'");
        Assert.True(run.ExitCode == 7, run.ToString());
        Assert.Equal(["0", $"0 {User} 1", "1000", "1"], run.Output.TrimEnd('\n').Split('\n').Select(line => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries))));
        Assert.True(run.Errors.Split('\n').Length <= 2, run.ToString()); // one line of what the machine does not give
    }

    [Fact]
    public void An_app_may_be_another_of_the_images_users() =>
        Assert.Equal("1000\n1000 1001\n", As($"$n run {Image} --exec=/bin/sh --user=user -- -c 'id -u; id -G'").Output);

    [Fact]
    public void All_of_a_pods_life_is_its_owners()
    {
        var life = As($"""
            set -e
            $n run --detach --name=web {Image} --exec=/bin/sh -- -c 'trap "exit 5" TERM; echo started; while true; do sleep 0.1; done' 2>/dev/null
            $n list --no-legend | grep -o running; $n enter web /bin/sh -c 'hostname | cut -d - -f 1; id -u'
            echo copied >file; $n cp file web:/tmp; $n enter web cat /tmp/file; $n cp web:/tmp/file back; cat back
            $n app exec web true; $n stop web >/dev/null; $n status --wait web | grep -E '^(state|app-)'
            $n logs web; $n cp web:/tmp/file - | tar -t; $n rm web >/dev/null
            $n run {Image} --exec=/bin/sh --user=user -- -c 'mkdir /tmp/d; touch /tmp/d/f; busybox chmod 700 /tmp/d' 2>/dev/null; $n gc --grace-period=0s >/dev/null; $n list --no-legend
            $n image rm $($n image list --no-legend --fields=id) >/dev/null; $n image list --no-legend
            echo places: $(find .local/share/nacelle/pods -mindepth 2 -maxdepth 2 | wc -l)
            """);
        Assert.True(life.ExitCode == 0, life.ToString());
        Assert.Equal("running nacelle 0 copied copied state=exited app-busybox=5 started file places: 0", string.Join(' ', life.Output.TrimEnd('\n').Split('\n').Skip(1)));
    }

    [Fact]
    public void A_pod_has_a_network_by_pasta_and_ports_lead_to_it()
    {
        Machine.Require("/usr/bin/pasta", "/usr/sbin/ip");
        var result = As($"""
            $n run --detach --name=web --port=web:tcp:80::8080 {Image} --exec=/bin/sh -- -c 'mkdir /tmp/w; echo served >/tmp/w/f; exec busybox httpd -f -p 80 -h /tmp/w' 2>/dev/null >/dev/null
            $n list --no-legend | grep -o default:ip4=192.0.2.1; $n network check web | cut -d: -f2
            i=0; until busybox wget -qO- http://127.0.0.1:8080/f || [ $i = 50 ]; do i=$((i+1)); sleep 0.1; done 2>/dev/null
            $n stop web >/dev/null; i=0; while busybox wget -qO- http://127.0.0.1:8080/f && [ $i != 50 ]; do i=$((i+1)); sleep 0.1; done 2>/dev/null
            $n status --wait web | grep -o state=exited; find .local/share/nacelle/networks -type f
            """, network: true);
        Assert.Equal("default:ip4=192.0.2.1\n ok\nserved\nstate=exited\n.local/share/nacelle/networks/lock\n", result.Output);
    }

    [Fact]
    public void What_cannot_be_had_is_refused_in_one_line()
    {
        var nested = As($"$n run --private-users {Image}");
        Assert.Equal((254, "nacelle: --private-users: we are in a user namespace already, which has no ranges to give away\n"), (nested.ExitCode, nested.Errors));
        File.WriteAllText($"{machine.Path}/ranges", "");
        Machine.Script(Home, "rm .local/share/nacelle/users.* 2>/dev/null || true");
        Assert.Equal($"nacelle: prepare: cannot run as unprivileged user: /etc/subuid and /etc/subgid have no ranges for user {User}\n", As($"$n prepare {Image}").Errors);
    }
}

using System.Text.Json.Nodes;

namespace Nacelle.Oci.Tests;

/// <summary>Descriptors and memory of the runtime's own processes, seen by those of a container.</summary>
public sealed partial class EscapeTests
{
    /// <summary>
    /// A script that stops every process that joins its PID namespace at the first instant, by its number, which is known beforehand, and looks at it
    /// as long as it still is the runtime's. SIGSTOP takes no privilege but the same user.
    /// </summary>
    /// <param name="look">What it does then; <c>$n</c> is the process.</param>
    /// <param name="after">What it does when the test says that the process has ended.</param>
    static string StopWhoJoins(string look, string after = "true") => $$"""
        exec 2>/dev/null >/data/log
        i=0 hits=0
        while [ $i -lt 20 ] && [ $hits -lt 4 ]; do
            true & n=$(($!+1)); wait
            >/data/ready.$i
            until kill -STOP $n || [ -e /data/ended.$i ]; do :; done
            until grep -q '^State:.[TZX]' /proc/$n/status || ! [ -d /proc/$n ]; do :; done
            if [ "$(cat /proc/$n/comm)" = {{Comm}} ]; then
                hits=$((hits+1))
                echo stopped $n
                {{look}}
            fi
            kill -CONT $n
            until [ -e /data/ended.$i ]; do sleep 0.01; done
            {{after}}
            i=$((i+1))
        done
        >/data/done
        sleep 1000
        """;

    const string Comm = "nacelle-runner";

    /// <summary>Tries every way from the descriptors of process <c>$n</c>, and from its root, to the host's secret.</summary>
    string ReadSecretThroughProcess => $$"""
        for f in /proc/$n/fd/* /proc/$n/root /proc/$n/cwd; do
            for way in {{secret}} /../../../../../../../..{{secret}} /../secret /../../secret /1/root{{secret}} /../../../../../../../../proc/1/root{{secret}}; do
                text=$(cat $f$way) && echo "$f$way -> $(readlink $f): $text"
            done
        done
        """;

    /// <summary>Lets processes join the container of <see cref="StopWhoJoins"/>.</summary>
    /// <returns>What it wrote.</returns>
    string JoinWhileAttacked(Bundle bundle, string program, params string[] command) =>
        WhileAttacked(bundle, id => OciMachine.Run(program, [$"--root={machine.Root}", "exec", id, .. command]));

    /// <param name="join">Brings one process into the PID namespace of the container with that id.</param>
    string WhileAttacked(Bundle bundle, Action<string> join)
    {
        var id = machine.Start(bundle);
        var data = $"{bundle.Rootfs}/data";
        for (int i = 0; i < 20; i++)
        {
            OciMachine.Eventually(() => File.Exists($"{data}/ready.{i}") || File.Exists($"{data}/done"), "the attacker is ready");
            if (File.Exists($"{data}/done"))
            {
                break;
            }

            join(id);
            File.WriteAllText($"{data}/ended.{i}", "");
        }

        OciMachine.Eventually(() => File.Exists($"{data}/done"), "the attacker is done");
        var log = File.ReadAllText($"{data}/log");
        Assert.SkipUnless(log.Contains("stopped", StringComparison.Ordinal), "on this machine no process could be stopped early enough");
        return log;
    }

    // CVE-2016-9962: a container looks into the process that runc makes to join it, before that has become one of its own: its descriptors, its memory. The
    // runtime's process has to be one that cannot be looked into (not dumpable) before it is in the container's PID namespace.
    [Fact]
    public void Who_joins_a_container_cannot_be_looked_into() =>
        Assert.DoesNotContain("SEEN", JoinWhileAttacked(Attacker(StopWhoJoins(LookInside)), OciMachine.Program, "/bin/true"), StringComparison.Ordinal);

    // The same while another container is made in the PID namespace of this one, as in a pod: until it has entered its own root it is in the host's.
    [Fact]
    public void Who_is_made_in_a_containers_PID_namespace_cannot_be_looked_into()
    {
        var other = machine.NewBundle("/bin/true");
        var log = WhileAttacked(Attacker(StopWhoJoins(LookInside)), id =>
        {
            other.With(one => one.SetNamespace("pid", $"/proc/{machine.Pid(id)}/ns/pid"));
            machine.RunBundle(other);
        });
        Assert.DoesNotContain("SEEN", log, StringComparison.Ordinal);
    }

    const string LookInside = """
        for file in maps environ auxv; do [ -n "$(cat /proc/$n/$file)" ] && echo "SEEN $file"; done
        for link in exe root cwd fd/0 fd/3 ns/mnt; do readlink /proc/$n/$link && echo "SEEN $link"; done
        true </proc/$n/mem && echo SEEN mem
        """;

    // CVE-2016-9962 again, by a container to which CAP_SYS_PTRACE has been given: what cannot be hidden from it must not be there. On a vulnerable runtime the secret
    // is read by way of the state directory, or of any other directory of the host that the joining process has open.
    [Theory]
    [InlineData(false)]
    [InlineData(true)] // for its score the process writes to a /proc
    public void Who_joins_a_container_has_nothing_of_the_host_open(bool hasScore)
    {
        var bundle = Attacker(StopWhoJoins($"ls /proc/$n/fd | wc -l; {ReadSecretThroughProcess}"), Strong).With(one => one.Process["oomScoreAdj"] = hasScore ? 100 : null);
        Assert.DoesNotContain(SecretText, JoinWhileAttacked(bundle, OciMachine.Program, "/bin/true"), StringComparison.Ordinal);
    }

    // CVE-2016-9962, CVE-2024-21626: a container that is created and waits for its start, seen from another one in the same PID namespace.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_created_container_shows_nothing_of_the_host_to_another_in_its_PID_namespace(bool maySeeAll)
    {
        var attacker = machine.Start(Attacker("sleep 1000", maySeeAll ? Strong : []));
        machine.Create(machine.NewBundle("/bin/true").With(bundle => bundle.SetNamespace("pid", $"/proc/{machine.Pid(attacker)}/ns/pid")));
        var result = machine.Oci("exec", attacker, "/bin/sh", "-c", $$"""
            for p in /proc/[0-9]*; do
                [ "$(cat $p/comm)" = {{Comm}} ] || continue
                n=${p#/proc/}
                echo descriptors: $(for f in 0 1 2; do readlink $p/fd/$f; done)
                {{ReadSecretThroughProcess}}
            done
            """);
        Assert.DoesNotContain(SecretText, result.Output, StringComparison.Ordinal);
        Assert.Contains(maySeeAll ? "descriptors: /dev/null /dev/null" : "descriptors:\n", result.Output, StringComparison.Ordinal);
    }

    /// <summary>nacelle-oci for an engine whose descriptors 3 to 30 are the host's root directory, and not close-on-exec.</summary>
    Result WithLeakedDescriptors(params string[] arguments) => OciMachine.Run(
        "/bin/bash", ["-c", "for n in {3..30}; do eval \"exec $n</\"; done; exec \"$@\"", "bash", OciMachine.Program, $"--root={machine.Root}", .. arguments]);

    // CVE-2024-21626: the working directory /proc/self/fd/N is a directory of the host where the runtime, or the engine before it, has one open as N.
    [Fact]
    public void A_working_directory_that_is_a_descriptor_leads_nowhere()
    {
        var bundle = machine.Shell($"cat .{secret}; cat ../../../../../..{secret}");
        var running = machine.Start(machine.NewBundle("/bin/sleep", "1000").Write());
        for (int n = 3; n <= 30; n++)
        {
            var cwd = $"/proc/self/fd/{n}";
            bundle.With(one => one.Process["cwd"] = cwd);
            Result[] results =
            [
                WithLeakedDescriptors("run", $"--bundle={bundle.Path}", OciMachine.NewId()),
                WithLeakedDescriptors("exec", $"--cwd={cwd}", running, "/bin/sh", "-c", $"cat .{secret}"),
            ];
            Assert.All(results, result => Assert.True(result.ExitCode is 1 or 255 && !result.Output.Contains(SecretText, StringComparison.Ordinal), $"{cwd}: {result}"));
        }
    }

    // The same by a link in the image, which a check of the configuration does not see.
    [Theory]
    [InlineData("/proc/self/fd/7")]
    [InlineData("/proc/thread-self/fd/7")]
    [InlineData("/proc/1/fd/7")]
    [InlineData("/proc/1/root")]
    [InlineData("/dev/fd/7")]
    public void A_working_directory_that_is_a_link_to_a_descriptor_leads_nowhere(string target)
    {
        var bundle = machine.Shell($"cat .{secret}").With(one => one.Process["cwd"] = "/work");
        File.CreateSymbolicLink($"{bundle.Rootfs}/work", target);
        var result = WithLeakedDescriptors("run", $"--bundle={bundle.Path}", OciMachine.NewId());
        Assert.True(result.ExitCode == 1 && !result.Output.Contains(SecretText, StringComparison.Ordinal), result.ToString());
    }

    // CVE-2024-21626, its second way: the program itself is named by a descriptor, and so is one of the host's.
    [Fact]
    public void A_program_behind_a_descriptor_is_not_found()
    {
        var bundle = machine.NewBundle("/bin/true");
        var running = machine.Start(machine.NewBundle("/bin/sleep", "1000").Write());
        for (int n = 3; n <= 30; n++)
        {
            string[] command = [$"/proc/self/fd/{n}/bin/busybox", "cat", secret, $"/proc/self/fd/{n}{secret}"];
            bundle.With(one => one.Process["args"] = new JsonArray([.. command.Select(word => (JsonNode)word)]));
            Result[] results = [WithLeakedDescriptors("run", $"--bundle={bundle.Path}", OciMachine.NewId()), WithLeakedDescriptors(["exec", running, .. command])];
            Assert.All(results, result => Assert.True(result.ExitCode is 1 or 255 && result.Output.Length == 0, $"{n}: {result}"));
        }
    }

    [Fact]
    public void A_container_has_none_of_the_descriptors_of_a_careless_engine()
    {
        var running = machine.Start(machine.NewBundle("/bin/sleep", "1000").Write());
        var bundle = machine.Shell("ls /proc/$$/fd; true").Write();
        Assert.Equal("0\n1\n2\n", WithLeakedDescriptors("run", $"--bundle={bundle.Path}", OciMachine.NewId()).Output);
        Assert.Equal("0\n1\n2\n", WithLeakedDescriptors("exec", running, "/bin/sh", "-c", "ls /proc/$$/fd; true").Output);
    }
}

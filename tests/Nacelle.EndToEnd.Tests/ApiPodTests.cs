using Grpc.Core;
using Nacelle.Services.V1Alpha;

namespace Nacelle.EndToEnd.Tests;

/// <summary>What rkt's API tells of pods.</summary>
public sealed class ApiPodTests : IDisposable
{
    readonly Machine machine = new();
    readonly ApiService api;

    public ApiPodTests() => api = ApiService.Start(machine);

    public void Dispose()
    {
        api.Dispose();
        machine.Dispose();
    }

    Pod[] List(PodFilter? filter = null, bool detail = false)
    {
        var request = new ListPodsRequest { Detail = detail };
        request.Filters.AddRange(filter is null ? [] : [filter]);
        return [.. api.Client.ListPods(request).Pods];
    }

    string Prepare(params string[] appFlags) => machine.Nacelle(["prepare", "--quiet", TestImages.Busybox, "--exec=/bin/true", .. appFlags]).Output.Trim();

    [Fact]
    public void The_service_says_what_it_is()
    {
        var info = api.Client.GetInfo(new GetInfoRequest()).Info;
        Assert.Equal(("0.8.11", "1.0.0-alpha", machine.Data), (info.AppcVersion, info.ApiVersion, info.GlobalFlags.Dir));
        Assert.Equal(machine.Path + "/config", info.GlobalFlags.LocalConfigDir);
        Assert.Contains($"nacelle Version: {info.RktVersion}\n", machine.Nacelle("version").Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Pods_are_listed_in_their_states()
    {
        var prepared = Prepare();
        machine.ShellAs("exit 3", "--name=one");
        var (_, running) = machine.StartShell("sleep 600");
        var pods = List();
        Assert.Equal(3, pods.Length);
        Assert.Equal(PodState.Prepared, pods.Single(pod => pod.Id == prepared).State);
        var pod = pods.Single(pod => pod.Id == running);
        Assert.Equal((PodState.Running, machine.PidOf(running)), (pod.State, $"{pod.Pid}"));
        var exited = pods.Single(pod => pod.State == PodState.Exited);
        Assert.Equal(-1, exited.Pid);
        Assert.Equal("one", Assert.Single(exited.Apps).Name);
        Assert.All(pods, one => Assert.True(one.Manifest.IsEmpty && one.Apps[0].Image.Id.StartsWith("sha256-", StringComparison.Ordinal)));
    }

    [Fact]
    public void Detail_brings_manifests_of_pods_and_images()
    {
        var uuid = Prepare("--annotation=own=1");
        var pod = Assert.Single(List(detail: true));
        Assert.Equal(machine.Nacelle("cat-manifest", "--pretty-print=false", uuid).Output.Trim(), pod.Manifest.ToStringUtf8().Trim());
        var app = Assert.Single(pod.Apps);
        Assert.Contains(new KeyValue { Key = "own", Value = "1" }, app.Annotations);
        Assert.Contains("\"acKind\":\"ImageManifest\"", app.Image.Manifest.ToStringUtf8(), StringComparison.Ordinal);
        Assert.Equal(ImageType.Oci, app.Image.BaseFormat.Type);
    }

    [Fact]
    public void A_pod_that_has_run_is_inspected()
    {
        var before = DateTimeOffset.UtcNow.AddSeconds(-1);
        machine.ShellAs("exit 3", "--name=one");
        var uuid = Path.GetFileName(machine.Pods()[0]);
        var pod = api.Client.InspectPod(new InspectPodRequest { Id = uuid }).Pod;
        Assert.Equal((PodState.Exited, AppState.Exited, 3), (pod.State, pod.Apps[0].State, pod.Apps[0].ExitCode));
        long since = (before - DateTimeOffset.UnixEpoch).Ticks * 100;
        Assert.True(pod.CreatedAt > since && pod.StartedAt >= pod.CreatedAt && pod.GcMarkedAt == 0 && pod.Cgroup.Length == 0, $"{pod}");
        machine.Nacelle("gc", "--mark-only");
        Assert.True(api.Client.InspectPod(new InspectPodRequest { Id = uuid }).Pod.GcMarkedAt > since);
    }

    [Fact]
    public void A_pod_that_is_not_there_is_not_found()
    {
        foreach (var id in (string[])[Guid.NewGuid().ToString(), "", "../../etc"])
        {
            Assert.Equal(StatusCode.NotFound, Assert.Throws<RpcException>(() => api.Client.InspectPod(new InspectPodRequest { Id = id })).StatusCode);
        }
    }

    [Fact]
    public void Filters_choose_pods()
    {
        var one = Prepare("--name=one");
        var two = Prepare("--name=two");
        var (_, running) = machine.StartShellAs("sleep 600", "--name=three");
        var image = List()[0].Apps[0].Image.Id;
        var cgroup = api.Client.InspectPod(new InspectPodRequest { Id = running }).Pod.Cgroup;
        Assert.NotEmpty(cgroup);
        Expect([one, two], new PodFilter { Ids = { one, two } });
        Expect([one, two], new PodFilter { States = { PodState.Prepared } });
        Expect([running], new PodFilter { States = { PodState.Running, PodState.Exited } });
        Expect([two], new PodFilter { AppNames = { "two" } });
        Expect([], new PodFilter { AppNames = { "one", "two" } });
        Expect([one, two, running], new PodFilter { ImageIds = { image } });
        Expect([], new PodFilter { ImageIds = { image, "sha256-00" } });
        Expect([], new PodFilter { NetworkNames = { "default" } });
        Expect([running], new PodFilter { Cgroups = { cgroup, "/other" } });
        Expect([running], new PodFilter { PodSubCgroups = { cgroup + "/three" } });
        Expect([], new PodFilter { PodSubCgroups = { cgroup + "0" } });
        Expect([one], new PodFilter { Ids = { one }, States = { PodState.Prepared } });
        Expect([], new PodFilter { Ids = { one }, States = { PodState.Running } });

        var either = new ListPodsRequest { Filters = { new PodFilter { Ids = { one } }, new PodFilter { States = { PodState.Running } } } };
        Assert.Equal(new[] { one, running }.Order(StringComparer.Ordinal), api.Client.ListPods(either).Pods.Select(pod => pod.Id).Order(StringComparer.Ordinal));

        void Expect(string[] uuids, PodFilter filter) =>
            Assert.Equal(uuids.Order(StringComparer.Ordinal), List(filter).Select(pod => pod.Id).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Filters_choose_pods_by_their_annotations()
    {
        var id = machine.Nacelle("fetch", "--full", TestImages.Busybox).Output.Trim();
        File.WriteAllText(machine.Path + "/pod.json", $$"""
            {"acVersion":"0.8.11","acKind":"PodManifest","annotations":[{"name":"tier","value":"front"},{"name":"zone","value":"1"}],
             "apps":[{"name":"one","image":{"id":"{{id}}"},"app":{"exec":["/bin/true"],"user":"0","group":"0"} }]}
            """);
        var uuid = machine.Nacelle("prepare", "--quiet", $"--pod-manifest={machine.Path}/pod.json").Output.Trim();
        Prepare();
        var (tier, zone, other) = (new KeyValue { Key = "tier", Value = "front" }, new KeyValue { Key = "zone", Value = "1" }, new KeyValue { Key = "zone", Value = "2" });
        Assert.Equal(uuid, Assert.Single(List(new PodFilter { Annotations = { tier, zone } })).Id);
        Assert.Empty(List(new PodFilter { Annotations = { tier, other } }));
    }

    [Fact]
    public void A_service_manager_may_open_the_socket()
    {
        using var activated = new ApiService(Service.StartBySocket(machine, "api-service"));
        Assert.Equal(machine.Data, activated.Client.GetInfo(new GetInfoRequest()).Info.GlobalFlags.Dir);
    }

    [Theory]
    [InlineData("here")]
    [InlineData("localhost")]
    [InlineData("127.0.0.1:0")]
    public void An_address_that_is_none_is_refused(string address)
    {
        var run = machine.Nacelle("api-service", $"--listen={address}");
        Assert.Equal((254, $"nacelle: --listen={address}: use ADDRESS:PORT, as in localhost:15441 or [::1]:15441\n"), (run.ExitCode, run.Errors));
    }
}

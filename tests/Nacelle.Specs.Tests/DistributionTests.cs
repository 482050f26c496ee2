namespace Nacelle.Specs.Tests;

public sealed class DistributionTests
{
    [Theory]
    [InlineData("cimd:appc:v=0:coreos.com/etcd", "coreos.com/etcd")]
    [InlineData("cimd:appc:v=0:coreos.com/etcd?version=v3.0.3", "coreos.com/etcd:v3.0.3")]
    [InlineData("cimd:appc:v=0:coreos.com/etcd?arch=amd64&os=linux&version=v3.0.3%2Bgit", "coreos.com/etcd:v3.0.3+git,arch=amd64,os=linux")]
    [InlineData("cimd:docker:v=0:registry-1.docker.io/library/busybox:latest", "docker://docker.io/library/busybox:latest")]
    [InlineData("cimd:docker:v=0:quay.io/a/b@sha256:0123456789012345678901234567890123456789012345678901234567890123", "docker://quay.io/a/b@sha256:0123456789012345678901234567890123456789012345678901234567890123")]
    [InlineData("cimd:docker:v=0:busybox", "docker://busybox")]
    [InlineData("cimd:aci-archive:v=0:https%3A%2F%2Fexample.com%2Fapp-1.0.aci", "https://example.com/app-1.0.aci")]
    [InlineData("cimd:aci-archive:v=0:file%3A%2F%2F%2Fsrv%2Fapp.aci", "file:///srv/app.aci")]
    [InlineData("example.com/app", "example.com/app")]
    [InlineData("docker://cimd:1", "docker://cimd:1")]
    public void A_name_as_rkt_wrote_it_down_has_a_usual_spelling(string name, string usual)
    {
        Assert.Equal(usual, Distribution.Usual(name));
        ImageName.Parse(name);
    }

    [Theory]
    [InlineData("cimd:", "is not of the form cimd:TYPE:v=0:NAME")]
    [InlineData("cimd:appc", "is not of the form")]
    [InlineData("cimd:appc:v=0:", "is not of the form")]
    [InlineData("cimd:appc:v=1:example.com/app", "only v=0 is known")]
    [InlineData("cimd:tape:v=0:x", "not distributed as 'tape'")]
    [InlineData("cimd:appc:v=0:example.com/app?version", "'version' is not a label")]
    public void What_is_none_is_refused(string name, string reason) =>
        Assert.Contains(reason, Assert.Throws<SpecException>(() => Distribution.Usual(name)).Message, StringComparison.Ordinal);
}

namespace Nacelle.EndToEnd.Tests;

/// <summary>Flags of <c>run</c> and <c>prepare</c> that contradict each other, or stand in the wrong place: one line, exit code 254, and nothing changed.</summary>
public sealed class FlagConflictTests : IDisposable
{
    readonly Machine machine = new();

    public void Dispose() => machine.Dispose();

    void IsRefused(string complaint, params string[] arguments)
    {
        foreach (var command in (string[])["run", "prepare"])
        {
            var result = machine.Nacelle([command, .. arguments]);
            Assert.True(result is { ExitCode: 254, Output: "" }, result.ToString());
            Assert.Equal($"nacelle: {complaint}\n", result.Errors);
        }

        Assert.Empty(machine.Pods());
    }

    string Manifest()
    {
        var file = machine.Path + "/pod.json";
        File.WriteAllText(file, """{"acKind":"PodManifest","acVersion":"0.8.11","apps":[]}""");
        return file;
    }

    [Theory]
    [InlineData("--volume=v,kind=empty")]
    [InlineData("--inherit-env")]
    [InlineData("--set-env=A=b")]
    [InlineData("--set-env-file=/dev/null")]
    [InlineData("--mount=volume=v,target=/v")]
    [InlineData("--pod-memory=1G")]
    public void What_a_pod_manifest_says_cannot_be_said_beside_it(string flag) =>
        IsRefused($"{flag.Split('=')[0]} and --pod-manifest exclude each other: the manifest says all of the pod", flag, $"--pod-manifest={Manifest()}");

    [Fact]
    public void A_pod_manifest_stands_without_images() => IsRefused("--pod-manifest says all of the pod: name no image beside it", $"--pod-manifest={Manifest()}", TestImages.Busybox);

    [Theory]
    [InlineData("--exec=/bin/true")]
    [InlineData("--memory=1G")]
    [InlineData("--environment=A=b")]
    [InlineData("--signature=/f")]
    public void A_flag_of_an_app_stands_behind_its_image(string flag) => IsRefused($"{flag.Split('=')[0]} goes behind the image that it is for", flag, TestImages.Busybox);

    [Fact]
    public void Arguments_stand_behind_an_image_and_once()
    {
        IsRefused("an image is required before any app arguments", "--", "x");
        IsRefused("only one set of app arguments allowed per image", TestImages.Busybox, "--", "x", "---", "--", "y");
        IsRefused("name at least one image");
    }

    [Theory]
    [InlineData("--caps-retain and --caps-remove exclude each other", "--caps-retain=CAP_KILL", "--caps-remove=CAP_CHOWN")]
    [InlineData("--caps-retain and --caps-remove exclude each other", "--cap-retain=CAP_KILL", "--cap-remove=CAP_CHOWN")]
    [InlineData("--memory=16m is less than a page of memory: did you mean 16M?", "--memory=16m")]
    [InlineData("--working-dir=x: use an absolute path", "--working-dir=x")]
    [InlineData("--seccomp=x: begin with mode=retain or mode=remove", "--seccomp=x")]
    [InlineData("--environment=A: write NAME=VALUE", "--environment=A")]
    public void Flags_of_an_app_are_checked(string complaint, params string[] flags) => IsRefused(complaint, [TestImages.Busybox, .. flags]);

    [Theory]
    [InlineData("--pull-policy=sometimes: use new, update or never", "--pull-policy=sometimes")]
    [InlineData("--store-only and --pull-policy=new exclude each other", "--store-only", "--pull-policy=new")]
    [InlineData("--store-only and --no-store exclude each other", "--store-only", "--no-store")]
    public void Pull_policies_are_three_and_said_once(string complaint, params string[] flags) => IsRefused(complaint, [.. flags, TestImages.Busybox]);

    [Fact]
    public void Older_flags_mean_what_they_meant()
    {
        Assert.Contains("is not in the store", machine.Nacelle("run", "--store-only", TestImages.Busybox).Errors, StringComparison.Ordinal);
        Assert.Equal(0, machine.Nacelle("image", "fetch", "--no-store", TestImages.Busybox).ExitCode);
        var run = machine.Nacelle("run", "--store-only", TestImages.Busybox, "--cap-retain=CAP_KILL", "--", "grep", "CapBnd", "/proc/self/status");
        Assert.Equal("CapBnd:\t0000000000000020\n", run.Output);
        Assert.DoesNotContain("store-only", machine.Nacelle("help", "run").Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Interactive_is_for_one_app()
    {
        var result = machine.Nacelle("run", "--interactive", TestImages.Busybox, "---", TestImages.Busybox, "--name=two");
        Assert.Equal((254, "nacelle: --interactive is for one app: the pod has several\n"), (result.ExitCode, result.Errors));
    }
}

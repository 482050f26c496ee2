namespace Nacelle.Specs.Tests;

public sealed class RuntimeMountCheckTests
{
    static string? Complaint(string mount) => WholeConfig.Complaint(WholeConfig.With("mounts[1]", mount));

    [Theory]
    [InlineData("""{"destination":"","type":"tmpfs"}""", "destination: is empty")]
    [InlineData("""{"destination":"/a\u0000","type":"tmpfs"}""", "destination: holds a NUL, where the kernel would cut it off")]
    [InlineData("""{"destination":"/a","type":"t\u0000"}""", "type: holds a NUL, where the kernel would cut it off")]
    [InlineData("""{"destination":"/a","type":"tmpfs","source":"\u0000"}""", "source: holds a NUL, where the kernel would cut it off")]
    [InlineData("""{"destination":"/a","type":"tmpfs","options":["a","b\u0000"]}""", "options[1]: holds a NUL, where the kernel would cut it off")]
    [InlineData("""{"destination":"/a"}""", "type: is missing, and neither bind nor rbind is among the options")]
    [InlineData("""{"destination":"/a","options":["rbind"]}""", "source: is missing, and so there is nothing to bind")]
    [InlineData("""{"destination":"/a","type":"bind"}""", "source: is missing, and so there is nothing to bind")]
    [InlineData("""{"destination":"/a","source":"/b","options":["bind"],"uidMappings":[{"containerID":0,"hostID":1,"size":1}]}""", "gidMappings: is missing: users and groups are mapped together or not at all")]
    [InlineData("""{"destination":"/a","source":"/b","options":["bind"],"gidMappings":[{"containerID":0,"hostID":1,"size":1}]}""", "uidMappings: is missing: users and groups are mapped together or not at all")]
    [InlineData("""{"destination":"/a","source":"/b","options":["bind"],"gidMappings":[{"containerID":0,"hostID":1,"size":0}]}""", "gidMappings[0].size: is 0: map one id at least")]
    public void A_broken_rule_is_named_with_its_path(string mount, string complaint) => Assert.Equal("mounts[1]." + complaint, Complaint(mount));

    [Theory]
    [InlineData("""{"destination":"relative","type":"tmpfs"}""")]
    [InlineData("""{"destination":"/a","source":"b","options":["bind"]}""")]
    [InlineData("""{"destination":"/a","type":"bind","source":"/b","options":["ro"]}""")]
    [InlineData("""{"destination":"/a","options":["remount","ro"]}""")]
    [InlineData("""{"destination":"/a","source":"/b","options":["bind","idmap"]}""")]
    public void What_the_specification_allows_is_fine(string mount) => Assert.Null(Complaint(mount));

    [Theory]
    [InlineData("idmap")]
    [InlineData("ridmap")]
    public void Mapping_owners_without_anything_to_map_by_is_refused(string option) =>
        Assert.Equal(
            "mounts[0].options: idmap has nothing to map by: give the mount uidMappings and gidMappings, or the container a user namespace",
            WholeConfig.Complaint($$"""{"ociVersion":"1.0.0","root":{"path":"r"},"mounts":[{"destination":"/a","source":"/b","options":["bind","{{option}}"]}]}"""));

    [Theory]
    [InlineData("[]", null)]
    [InlineData("""[{"containerID":0,"hostID":0,"size":4294967295}]""", null)]
    [InlineData("""[{"containerID":1,"hostID":0,"size":4294967295}]""", "[0].size: 4294967295 is too large: ids end at 4294967294")]
    [InlineData("""[{"containerID":0,"hostID":4294967295,"size":1}]""", "[0].size: 1 is too large: ids end at 4294967294")]
    [InlineData("""[{"containerID":0,"hostID":10,"size":5},{"containerID":5,"hostID":5,"size":5}]""", null)]
    [InlineData("""[{"containerID":0,"hostID":10,"size":5},{"containerID":4,"hostID":100,"size":5}]""", "[1]: overlaps with uidMappings[0]")]
    [InlineData("""[{"containerID":0,"hostID":10,"size":5},{"containerID":100,"hostID":6,"size":5}]""", "[1]: overlaps with uidMappings[0]")]
    public void Ranges_of_ids_may_neither_overflow_nor_overlap(string mappings, string? complaint) =>
        Assert.Equal(
            complaint is null ? null : "mounts[1].uidMappings" + complaint,
            Complaint($$"""{"destination":"/a","source":"/b","options":["bind"],"uidMappings":{{mappings}},"gidMappings":{{mappings}}}"""));

    [Fact]
    public void More_ranges_of_ids_than_the_kernel_takes_are_refused()
    {
        var mappings = string.Join(',', Enumerable.Range(0, 341).Select(i => $$"""{"containerID":{{i}},"hostID":{{i}},"size":1}"""));
        Assert.Equal("linux.uidMappings: has 341 ranges; the kernel takes at most 340", WholeConfig.Complaint(WholeConfig.With("linux.uidMappings", $"[{mappings}]")));
    }
}

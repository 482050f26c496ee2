namespace Nacelle.Systemd.Tests;

public class SystemdNameTests
{
    [Theory]
    [InlineData("system.slice:nacelle:1", "system.slice", "nacelle-1.scope")]
    [InlineData(":nacelle:1", "system.slice", "nacelle-1.scope")]
    [InlineData("machine-a.slice::1", "machine-a.slice", "1.scope")]
    [InlineData("::pods-1.slice", "system.slice", "pods-1.slice")]
    [InlineData(null, "system.slice", "nacelle-box.scope")]
    public void A_path_names_slice_and_unit(string? path, string slice, string name) =>
        Assert.Equal(new SystemdUnit(slice, name), SystemdUnit.Parse(path, "box", SystemdInstance.System));

    [Fact]
    public void A_user_has_a_slice_of_its_own() => Assert.Equal("user.slice", SystemdUnit.Parse(":a:b", "box", SystemdInstance.User).Slice);

    [Theory]
    [InlineData("/a/b")]
    [InlineData("a:b")]
    [InlineData("a:b:c")]
    [InlineData("a.slice:b:")]
    [InlineData("a.slice:b:c/d")]
    public void A_path_of_another_form_is_refused(string path) =>
        Assert.Contains("slice:prefix:name", Assert.Throws<ArgumentException>(() => SystemdUnit.Parse(path, "box", SystemdInstance.System)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_unit_is_an_object_whose_name_is_escaped() =>
        Assert.Equal("/org/freedesktop/systemd1/unit/_31a_2dB_2escope", SystemdUnit.ObjectPath("1a-B.scope"));
}

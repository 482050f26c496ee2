using System.Text;

namespace Nacelle.Specs.Tests;

public sealed class RuntimeStateTests
{
    static readonly RuntimeState State = new()
    {
        Id = "c1", Status = RuntimeStatus.Running, Pid = 7, Bundle = "/bundles/c1", Annotations = new Dictionary<string, string> { ["k"] = "v" },
    };

    static string Text(byte[] json) => Encoding.UTF8.GetString(json);

    [Fact]
    public void A_state_is_written_in_the_order_of_the_specification() =>
        Assert.Equal("""{"ociVersion":"1.3.0","id":"c1","status":"running","pid":7,"bundle":"/bundles/c1","annotations":{"k":"v"}}""", Text(State.ToJson()));

    [Fact]
    public void A_container_that_has_ended_has_no_process() =>
        Assert.Equal("""{"ociVersion":"1.3.0","id":"c1","status":"stopped","bundle":"/b"}""", Text(new RuntimeState { Id = "c1", Status = RuntimeStatus.Stopped, Bundle = "/b" }.ToJson()));

    [Fact]
    public void A_state_for_people_has_lines() => Assert.StartsWith("{\n\t\"ociVersion\": \"1.3.0\",\n\t\"id\": \"c1\",", Text(State.ToJson(indented: true)), StringComparison.Ordinal);

    [Fact]
    public void A_state_is_read_as_it_was_written() => Assert.Equal(State.ToJson(), RuntimeState.Parse(State.ToJson(), "state").ToJson());

    [Theory]
    [InlineData("""{"ociVersion":"1.0.0","status":"running","bundle":"/b"}""", "state: id: is missing")]
    [InlineData("""{"ociVersion":"1.0.0","id":"a","bundle":"/b"}""", "state: status: is missing")]
    [InlineData("""{"ociVersion":"1.0.0","id":"a","status":"running","pid":"1","bundle":"/b"}""", "state: pid: \"1\" is not a whole number of 32 bits")]
    public void What_is_wrong_is_said_with_its_path(string json, string complaint) =>
        Assert.Equal(complaint, Assert.Throws<SpecException>(() => RuntimeState.Parse(Encoding.UTF8.GetBytes(json), "state")).Message);

    [Fact]
    public void What_other_runtimes_add_to_a_state_is_passed_over() =>
        Assert.Equal("a", RuntimeState.Parse("""{"ociVersion":"1.0.0","id":"a","status":"created","pid":0,"bundle":"/b","rootfs":"/r","owner":""}"""u8, "state").Id);

    [Fact]
    public void The_listener_of_a_seccomp_filter_gets_the_state_with_the_names_of_its_descriptors() =>
        Assert.Equal(
            """{"ociVersion":"1.3.0","fds":["seccompFd"],"pid":9,"metadata":"m","state":{"ociVersion":"1.3.0","id":"c1","status":"creating","pid":9,"bundle":"/b"}}""",
            Text(new ContainerProcessState
            {
                Pid = 9, Metadata = "m", State = new RuntimeState { Id = "c1", Status = RuntimeStatus.Creating, Pid = 9, Bundle = "/b" },
            }.ToJson()));
}

namespace Nacelle.EndToEnd.Tests;

/// <summary>What apps see of the kernel's files, and may not write.</summary>
public sealed class KernelPathTests : IDisposable
{
    readonly Machine machine = new();

    public void Dispose() => machine.Dispose();

    [Theory]
    [InlineData("/proc/kcore")]
    [InlineData("/proc/kallsyms")]
    [InlineData("/proc/timer_list")]
    public void Kernel_files_are_masked(string path) => Assert.Equal("0\n", machine.Shell($"cat {path} | wc -c").Output);

    [Theory]
    [InlineData("/proc/sys/kernel/hostname")]
    [InlineData("/proc/irq/default_smp_affinity")]
    [InlineData("/sys/kernel/mm/transparent_hugepage/enabled")]
    public void Others_cannot_be_written_to(string path)
    {
        Assert.SkipUnless(File.Exists(path), "the kernel has no such file");
        Assert.Contains("Read-only file system", machine.Shell($"echo x >{path}").Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/sys/firmware")]
    [InlineData("/sys/module")]
    [InlineData("/sys/power")]
    public void Directories_are_hidden_too(string path)
    {
        Assert.SkipUnless(Directory.Exists(path), "the kernel has no such directory");
        Assert.Equal("0\n", machine.Shell($"ls {path} | wc -l").Output);
    }

    [Fact]
    public void All_are_seen_only_by_name()
    {
        const string Look = "head -c 1 /proc/kallsyms | wc -c; panic=$(cat /proc/sys/kernel/panic); (echo $panic >/proc/sys/kernel/panic) 2>/dev/null && echo writable; true";
        Assert.Equal("0\n", machine.Shell(Look).Output);
        Assert.Equal("1\nwritable\n", machine.Shell(Look, "--insecure-options=paths").Output);
    }

    [Fact]
    public void Who_enters_sees_no_more_than_the_app()
    {
        var (_, uuid) = machine.StartShell("exec sleep 600");
        Assert.Equal("0\n", machine.Nacelle("enter", uuid, "sh", "-c", "cat /proc/kallsyms /proc/kcore /proc/timer_list | wc -c").Output);
    }
}

using Nacelle.Linux;

namespace Nacelle.Kernel.Tests;

public class TerminalTests
{
    [KernelFact]
    public void What_is_written_at_one_end_is_read_at_the_other()
    {
        var (master, program) = Open();
        using (master)
        using (program)
        {
            Files.Write(program, "one\n"u8);
            Assert.Equal("one\r\n", Read(master));
            Assert.True(Terminal.IsTerminal(program));
            Assert.True(File.Exists($"/dev/pts/{Terminal.Number(master)}"));
        }
    }

    [KernelFact]
    public void A_raw_terminal_passes_every_byte_and_echoes_none()
    {
        var (master, program) = Open();
        using (master)
        using (program)
        {
            var before = Terminal.MakeRaw(program);
            Assert.True(before.Echoes);
            Assert.False(Terminal.GetModes(program).Echoes);
            Files.Write(master, "\x03\r\n"u8);
            Assert.Equal("\x03\r\n", Read(program));
            Terminal.SetModes(program, before);
            Assert.Equal(before, Terminal.GetModes(program));
        }
    }

    [KernelFact]
    public void The_size_set_at_one_end_is_seen_at_the_other()
    {
        var (master, program) = Open();
        using (master)
        using (program)
        {
            Terminal.SetSize(master, new TerminalSize(50, 132));
            Assert.Equal(new TerminalSize(50, 132), Terminal.GetSize(program));
        }
    }

    [KernelFact]
    public void No_end_is_inherited()
    {
        var (master, program) = Open();
        using (master)
        using (program)
        {
            Assert.False(master.Inherited);
            Assert.False(program.Inherited);
        }
    }

    [Fact]
    public void A_file_is_no_terminal()
    {
        using var file = Files.Open("/dev/null", OpenFlags.ReadOnly);
        Assert.False(Terminal.IsTerminal(file));
        Assert.Equal(Errno.ENOTTY, Assert.Throws<KernelException>(() => Terminal.GetSize(file)).Errno);
    }

    static (FileDescriptor Master, FileDescriptor Program) Open()
    {
        using var devices = Files.Open("/dev", OpenFlags.Path | OpenFlags.Directory);
        return Terminal.OpenPair(devices);
    }

    static string Read(FileDescriptor file)
    {
        var buffer = new byte[100];
        return System.Text.Encoding.UTF8.GetString(buffer, 0, Files.Read(file, buffer));
    }
}

using System.Globalization;
using CsCheck;
using Nacelle.Linux;

namespace Nacelle.Build.Tests;

public sealed class ModeChangeTests : IDisposable
{
    readonly string directory = Directory.CreateTempSubdirectory("nacelle-mode-").FullName;

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Theory]
    [InlineData("0755", "644", "755")]
    [InlineData("4711", "644", "4711")]
    [InlineData("u=rwX,go=rX", "600", "644")]
    [InlineData("u=rwX,go=rX", "700", "755")]
    [InlineData("+x", "644", "755")]
    [InlineData("a-w", "666", "444")]
    [InlineData("g=u", "741", "771")]
    [InlineData("u+s,+t", "755", "5755")]
    [InlineData("u=", "7777", "3077")]
    [InlineData("o+r-x=w", "755", "752")]
    public void A_mode_becomes_what_is_asked_for(string change, string before, string after) =>
        Assert.Equal(after, Convert.ToString(ModeChange.TryParse(change)!.Apply(Convert.ToUInt32(before, 8), FileKind.Regular), 8));

    [Theory]
    [InlineData("")]
    [InlineData("8")]
    [InlineData("77777")]
    [InlineData("u")]
    [InlineData("u=rwx,")]
    [InlineData("x=r")]
    [InlineData("u=ug")]
    [InlineData("u=rw x")]
    [InlineData("755,u+x")]
    public void What_is_no_mode_is_refused(string change) => Assert.Null(ModeChange.TryParse(change));

    [Fact]
    public void Changes_of_files_are_those_that_chmod_makes()
    {
        var path = directory + "/file";
        File.WriteAllText(path, "");
        var one = Gen.Select(Gen.String[Gen.Char["ugoa"], 1, 3], Gen.Char["+-="], Gen.OneOf(Gen.String[Gen.Char["rwxXst"], 0, 4], Gen.OneOf("u", "g", "o"))).Select((who, operation, what) => $"{who}{operation}{what}");
        Gen.Select(Gen.Int[0, 0xFFF], one.Array[1, 3]).Sample(
            (mode, clauses) =>
            {
                string change = string.Join(',', clauses), before = Convert.ToString(mode, 8);
                var theirs = BuildMachine.Shell(directory, $"chmod 0{before} file; chmod {change} file; stat -c %a file").Trim();
                return theirs == Convert.ToString(ModeChange.TryParse(change)!.Apply((uint)mode, FileKind.Regular), 8);
            },
            iter: 300, threads: 1);
    }

    [Fact]
    public void Every_text_is_a_change_or_refused() => Gen.String[Gen.Char["ugoa+-=rwxXst,01234567 "], 0, 12].Sample(
        text =>
        {
            if (ModeChange.TryParse(text) is { } change)
            {
                Assert.InRange(change.Apply(0x1ED, FileKind.Directory), 0u, 0xFFFu);
                Assert.Equal(text, change.Text);
            }
        },
        iter: 20_000);
}

using System.Diagnostics;
using System.Text;
using CsCheck;
using Nacelle.Specs;

namespace Nacelle.Build.Tests;

/// <summary>Mutations of real files: whatever they become, they are read, or refused in one line that names the file.</summary>
public class ContainerfileFuzzTests
{
    static readonly string[] Seeds =
    [
        "# syntax=docker/dockerfile:1\n# escape=\\\nARG V=1\nFROM a:$V AS b\nENV X=\"a b\" Y=${X:-z} Z=${Y//a/b}\nRUN --mount=type=cache,target=/c a && \\\n  # c\n  b\n",
        "FROM scratch\nCOPY --chown=a:b --chmod=755 <<EOF <<-\"E2\" /x/\nhello $V\nEOF\n\tb\n\tE2\nRUN <<X cat\nx\nX\nCMD [\"a\", \"b\"]\n",
        "FROM a\nHEALTHCHECK --interval=5s CMD x\nONBUILD RUN x\nEXPOSE 80/tcp 90-95\nVOLUME [\"/a\"]\nLABEL a=b \"c d\"=e\nSHELL [\"/bin/sh\",\"-c\"]\nSTOPSIGNAL 9\nUSER a\nWORKDIR ${V:?no}\nMAINTAINER me\n",
    ];

    static readonly Gen<byte[]> Mutated = Gen.Select(Gen.Int[0, Seeds.Length - 1], Gen.Int[0, 1000], Gen.Int[0, 40], Gen.Byte.Array[0, 12], Gen.Int[0, 3])
        .Select((seed, at, length, bytes, kind) =>
        {
            var text = Encoding.UTF8.GetBytes(Seeds[seed]);
            at %= text.Length;
            length = Math.Min(length, text.Length - at);
            return kind switch
            {
                0 => [.. text[..at], .. bytes, .. text[(at + length)..]],
                1 => [.. text[..at], .. text[at..(at + length)], .. text[at..(at + length)], .. text[at..]],
                2 => text[..at],
                _ => [.. text[..at], .. "\\\"'${<<:-}[]"u8[..(length % 12)], .. text[at..]],
            };
        });

    [Fact]
    public void Every_mutation_is_read_or_refused_in_one_line()
    {
        var watch = Stopwatch.StartNew();
        Mutated.Sample(
            text =>
            {
                try
                {
                    var file = Containerfile.Parse("Containerfile", text);
                    foreach (var word in file.Stages.SelectMany(stage => stage.Instructions).Select(instruction => instruction.Text))
                    {
                        try
                        {
                            _ = new Expansion(name => name + name, file.Escape).List(word);
                            _ = new Expansion(_ => null, file.Escape).FileText(word);
                        }
                        catch (ExpansionException refused)
                        {
                            Assert.DoesNotContain('\n', refused.Message);
                        }
                    }
                }
                catch (SpecException refused)
                {
                    Assert.StartsWith("Containerfile", refused.Message);
                    Assert.DoesNotContain('\n', refused.Message);
                }
            },
            iter: 20_000);
        Assert.True(watch.Elapsed < TimeSpan.FromMinutes(1), $"took {watch.Elapsed}");
    }

    [Fact]
    public void Long_and_deep_input_is_read_or_refused_in_bounded_time()
    {
        foreach (var text in (ReadOnlySpan<string>)
            [
                "FROM a\nENV A=" + string.Concat(Enumerable.Repeat("${A:-", 10_000)),
                "FROM a\nRUN " + new string('[', 100_000),
                "FROM a\nRUN " + string.Concat(Enumerable.Repeat("<<E ", 5_000)) + "\nE\n",
                string.Concat(Enumerable.Repeat("FROM a\n", 100_000)),
                "FROM a\nRUN x" + string.Concat(Enumerable.Repeat("\\\n", 100_000)),
            ])
        {
            try
            {
                var file = Containerfile.Parse("Containerfile", Encoding.UTF8.GetBytes(text));
                _ = new Expansion(_ => null, '\\').Word(file.Stages[^1].Instructions.Count > 0 ? file.Stages[^1].Instructions[^1].Text : "");
            }
            catch (Exception refused) when (refused is SpecException or ExpansionException)
            {
                Assert.DoesNotContain('\n', refused.Message);
            }
        }
    }
}

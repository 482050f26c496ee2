using System.Text;
using System.Text.Json.Nodes;
using CsCheck;

namespace Nacelle.Specs.Tests;

/// <summary>Whatever a document says, it is taken or refused with a complaint.</summary>
public sealed class RuntimeMutationTests
{
    static readonly string[] Strangers =
    [
        "null", "true", "0", "-1", "1e3", "1.0", "18446744073709551616", "\"\"", "\"\\u0000\"", "\"/\"", "\"..\"", "\"x\"", "[]", "[null]", "[\"\"]", "[[]]", "{}", """{"":""}""",
        """{"a":null}""", """[{"containerID":4294967295,"hostID":4294967295,"size":4294967295}]""",
    ];

    [Fact]
    public void Every_member_may_be_anything()
    {
        foreach (var path in Paths(JsonNode.Parse(WholeConfig.Json)!, ""))
        {
            foreach (var stranger in Strangers)
            {
                WholeConfig.Complaint(WholeConfig.With(path, stranger)); // which lets nothing through but a SpecException of this path's document
            }
        }
    }

    [Fact]
    public void Every_byte_may_be_any_other() =>
        Gen.Select(Gen.Int[0, WholeConfig.Json.Length - 1], Gen.Byte, Gen.Int[0, 3]).List[1, 4].Sample(
            changes =>
            {
                var bytes = Encoding.UTF8.GetBytes(WholeConfig.Json).ToList();
                foreach (var (place, value, kind) in changes)
                {
                    int at = place % bytes.Count;
                    switch (kind)
                    {
                        case 0: bytes.RemoveAt(at); break;
                        case 1: bytes.Insert(at, value); break;
                        default: bytes[at] = value; break;
                    }
                }

                return IsTakenOrRefused([.. bytes]);
            },
            iter: 5000);

    [Fact]
    public void What_was_taken_is_written_so_that_it_is_taken_again()
    {
        foreach (var path in Paths(JsonNode.Parse(WholeConfig.Json)!, ""))
        {
            foreach (var stranger in Strangers)
            {
                var json = WholeConfig.With(path, stranger);
                if (WholeConfig.Complaint(json) is null)
                {
                    var config = RuntimeConfig.Parse(Encoding.UTF8.GetBytes(json), "config.json");
                    Assert.Null(WholeConfig.Complaint(Encoding.UTF8.GetString(config.ToJson())));
                }
            }
        }
    }

    static bool IsTakenOrRefused(byte[] json)
    {
        try
        {
            RuntimeConfig.Parse(json, "config.json").Check("config.json");
        }
        catch (SpecException problem)
        {
            return problem.Message.StartsWith("config.json: ", StringComparison.Ordinal) && !problem.Message.Contains('\n');
        }

        return true;
    }

    static IEnumerable<string> Paths(JsonNode node, string above)
    {
        var below = node switch
        {
            JsonObject members => members.Where(member => !member.Key.Contains('.')).Select(member => (Path: above.Length == 0 ? member.Key : $"{above}.{member.Key}", member.Value)),
            JsonArray items => items.Select((item, index) => (Path: $"{above}[{index}]", Value: item)),
            _ => [],
        };
        foreach (var (path, value) in below)
        {
            yield return path;
            foreach (var deeper in Paths(value!, path))
            {
                yield return deeper;
            }
        }
    }
}

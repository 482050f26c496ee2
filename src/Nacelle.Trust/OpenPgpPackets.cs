using Nacelle.Specs;
using Org.BouncyCastle.Bcpg;
using Org.BouncyCastle.Bcpg.OpenPgp;

namespace Nacelle.Trust;

/// <summary>Takes OpenPGP texts apart, armored or not, and turns whatever the library throws at malformed ones into one kind of error.</summary>
static class OpenPgpPackets
{
    const int MostObjects = 1024;

    /// <exception cref="SpecException">Not OpenPGP, or malformed.</exception>
    public static List<PgpObject> Read(byte[] text, string source) => Guard(source, () =>
    {
        var objects = new List<PgpObject>();

        // Several armored texts may follow each other: keys that were exported one by one.
        using var content = new MemoryStream(text);
        while (content.Position < content.Length && objects.Count < MostObjects)
        {
            long before = content.Position;
            // Not disposed: that would close the content.
            var decoded = PgpUtilities.GetDecoderStream(content);
            var factory = new PgpObjectFactory(decoded);
            for (var next = factory.NextPgpObject(); next is not null; next = factory.NextPgpObject())
            {
                objects.Add(next);
                if (objects.Count == MostObjects)
                {
                    break;
                }
            }

            if (decoded is not ArmoredInputStream || content.Position == before)
            {
                break;
            }

            SkipBlanks(content);
        }

        return objects;
    });

    /// <summary>Runs what reads packets; the library complains in many ways, all of which mean the same.</summary>
    public static T Guard<T>(string source, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception malformed) when (malformed is not (SpecException or OutOfMemoryException))
        {
            throw new SpecException("", "is malformed: no OpenPGP packets, or damaged ones").In(source);
        }
    }

    /// <summary>The library's list is no enumeration.</summary>
    public static IEnumerable<PgpSignature> Each(this PgpSignatureList list) => Enumerable.Range(0, list.Count).Select(i => list[i]);

    static void SkipBlanks(MemoryStream content)
    {
        for (int letter; (letter = content.ReadByte()) >= 0;)
        {
            if (letter is not (' ' or '\t' or '\r' or '\n'))
            {
                content.Position--;
                return;
            }
        }
    }
}

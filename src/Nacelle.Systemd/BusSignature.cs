namespace Nacelle.Systemd;

/// <summary>The text form of types. See the D-Bus specification, "Signatures".</summary>
static class BusSignature
{
    /// <summary>Splits a sequence of types into single ones.</summary>
    /// <exception cref="BusException">It is not one.</exception>
    public static List<string> Split(string signature)
    {
        var types = new List<string>();
        for (int at = 0; at < signature.Length;)
        {
            int end = End(signature, at, depth: 0);
            types.Add(signature[at..end]);
            at = end;
        }

        return types;
    }

    /// <summary>The types of a structure's fields.</summary>
    public static List<string> Fields(string structure) => Split(structure[1..^1]);

    /// <summary>The boundary at which a value of a type starts.</summary>
    public static int Alignment(char type) => type switch
    {
        'y' or 'g' or 'v' => 1,
        'n' or 'q' => 2,
        'x' or 't' or 'd' or '(' or '{' => 8,
        _ => 4,
    };

    static int End(string signature, int at, int depth)
    {
        const int DeepestNesting = 32;
        if (at >= signature.Length || depth > DeepestNesting)
        {
            throw Wrong(signature);
        }

        switch (signature[at])
        {
            case 'y' or 'b' or 'n' or 'q' or 'i' or 'u' or 'x' or 't' or 'd' or 's' or 'o' or 'g' or 'v' or 'h':
                return at + 1;
            case 'a':
                return End(signature, at + 1, depth + 1);
            case '(' or '{':
                char close = signature[at] == '(' ? ')' : '}';
                int next = at + 1;
                while (next < signature.Length && signature[next] != close)
                {
                    next = End(signature, next, depth + 1);
                }

                return next < signature.Length && next > at + 1 ? next + 1 : throw Wrong(signature);
            default:
                throw Wrong(signature);
        }
    }

    static BusException Wrong(string signature) => new("read a D-Bus signature", "", $"'{signature}' is not one");
}

using System.Text;

namespace Nacelle.Linux;

/// <summary>Names and numbers of system calls on the architectures that a seccomp filter may speak of.</summary>
/// <remarks>The data lies in the executable as it is; nothing is built when the program starts.</remarks>
public static partial class SyscallTable
{
    /// <summary>How many names are known, over all architectures.</summary>
    public static int Count => Starts.Length - 1;

    /// <summary>The call's place in the table, or -1 where no architecture has such a call.</summary>
    public static int Find(string name)
    {
        Span<byte> wanted = stackalloc byte[64];
        if (name.Length > wanted.Length || Encoding.UTF8.GetByteCount(name) > wanted.Length)
        {
            return -1;
        }

        wanted = wanted[..Encoding.UTF8.GetBytes(name, wanted)];
        int low = 0, high = Count - 1;
        while (low <= high)
        {
            int middle = (low + high) / 2;
            switch (wanted.SequenceCompareTo(NameBytes(middle)))
            {
                case 0: return middle;
                case < 0: high = middle - 1; break;
                default: low = middle + 1; break;
            }
        }

        return -1;
    }

    /// <summary>The name at a place that <see cref="Find"/> gave.</summary>
    public static string Name(int place) => Encoding.UTF8.GetString(NameBytes(place));

    /// <summary>The number of the call at a place that <see cref="Find"/> gave, or -1 where the architecture has no such call.</summary>
    /// <remarks>x32 numbers come without the bit 30 that marks them.</remarks>
    public static int Number(int place, SeccompArchitecture architecture) => Column(architecture)[place];

    /// <summary>The number of a call, or -1 where the architecture has none of that name.</summary>
    public static int Number(string name, SeccompArchitecture architecture) => Find(name) is var place and >= 0 ? Number(place, architecture) : -1;

    /// <summary>The call's name on this architecture, or null where the number is not known. For messages: it searches the whole table.</summary>
    public static string? NameOf(int number, SeccompArchitecture architecture) =>
        Column(architecture).IndexOf(number) is var place and >= 0 ? Name(place) : null;

    static ReadOnlySpan<byte> NameBytes(int place) => Names[Starts[place]..(Starts[place + 1] - 1)];

    static ReadOnlySpan<int> Column(SeccompArchitecture architecture) => architecture switch
    {
        SeccompArchitecture.X64 => X64,
        SeccompArchitecture.X86 => X86,
        SeccompArchitecture.X32 => X32,
        SeccompArchitecture.Arm64 => Arm64,
        SeccompArchitecture.Arm => Arm,
        _ => throw new ArgumentOutOfRangeException(nameof(architecture)),
    };
}

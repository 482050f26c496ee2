using System.Text;
using Nacelle.Linux;

namespace Nacelle.Supervisor;

/// <summary>What others ask of the pod's PID 1 on its control socket, one message each.</summary>
enum ControlVerb : byte
{
    /// <summary>Takes on an app. With the order as a file in memory, and behind it the order's descriptors.</summary>
    Add = 1,
    Start,

    /// <summary>Answered when the app has ended.</summary>
    Stop,

    /// <summary>Forgets an app that does not run.</summary>
    Remove,

    /// <summary>Connects to an app's streams: with one descriptor for each that <see cref="AttachTo"/> names. The connection ends with the app.</summary>
    Attach,

    /// <summary>Sets the size of the terminal of the app that this connection is attached to. Not answered.</summary>
    Resize,
}

[Flags]
enum AttachTo : byte
{
    None = 0,
    Input = 1,
    Output = 2,
    Error = 4,
}

/// <param name="App">Its name.</param>
/// <param name="Streams">For <see cref="ControlVerb.Attach"/>.</param>
/// <param name="Size">For <see cref="ControlVerb.Resize"/>.</param>
readonly record struct ControlMessage(ControlVerb Verb, string App, AttachTo Streams = AttachTo.None, TerminalSize Size = default)
{
    /// <summary>An app's name has at most 512 characters.</summary>
    public const int LongestMessage = 1024;

    public byte[] ToBytes()
    {
        byte[] name = Encoding.ASCII.GetBytes(App);
        return [(byte)Verb, (byte)Streams, (byte)Size.Rows, (byte)(Size.Rows >> 8), (byte)Size.Columns, (byte)(Size.Columns >> 8), .. name];
    }

    public static ControlMessage? TryParse(ReadOnlySpan<byte> bytes) =>
        bytes.Length < 6 ? null
        : new ControlMessage(
            (ControlVerb)bytes[0], Encoding.ASCII.GetString(bytes[6..]), (AttachTo)bytes[1],
            new TerminalSize((ushort)(bytes[2] | (bytes[3] << 8)), (ushort)(bytes[4] | (bytes[5] << 8))));
}

using System.Buffers;
using System.Runtime.InteropServices;
using System.Runtime.InteropServices.Marshalling;
using System.Text;

namespace Nacelle.Linux;

/// <summary>Names as the kernel has them are bytes, not text. Here they travel as strings without loss: what is not UTF-8 becomes lone surrogates.</summary>
/// <remarks>The scheme of PEP 383: byte 0x80 + n that is no part of UTF-8 stands as U+DC80 + n.</remarks>
public static class KernelString
{
    public static string Decode(ReadOnlySpan<byte> bytes)
    {
        if (System.Text.Unicode.Utf8.IsValid(bytes))
        {
            return Encoding.UTF8.GetString(bytes);
        }

        var text = new StringBuilder(bytes.Length);
        while (!bytes.IsEmpty)
        {
            if (Rune.DecodeFromUtf8(bytes, out var rune, out int consumed) == OperationStatus.Done)
            {
                text.Append(rune.ToString());
            }
            else
            {
                consumed = 1;
                text.Append((char)(0xDC00 | bytes[0]));
            }

            bytes = bytes[consumed..];
        }

        return text.ToString();
    }

    /// <returns>The number of bytes written.</returns>
    public static int Encode(ReadOnlySpan<char> text, Span<byte> bytes)
    {
        int written = 0;
        while (!text.IsEmpty)
        {
            if (Rune.DecodeFromUtf16(text, out var rune, out int consumed) == OperationStatus.Done)
            {
                written += rune.EncodeToUtf8(bytes[written..]);
            }
            else
            {
                consumed = 1;
                bytes[written++] = (byte)text[0];
            }

            text = text[consumed..];
        }

        return written;
    }

    public static byte[] Encode(string text)
    {
        var bytes = new byte[text.Length * 3];
        return bytes[..Encode(text, bytes)];
    }
}

/// <summary>Hands strings to the kernel by the scheme of <see cref="KernelString"/>, null-terminated.</summary>
[CustomMarshaller(typeof(string), MarshalMode.ManagedToUnmanagedIn, typeof(ManagedToUnmanagedIn))]
internal static unsafe class KernelStringMarshaller
{
    public ref struct ManagedToUnmanagedIn
    {
        byte* native;
        bool allocated;

        public static int BufferSize => 512;

        public void FromManaged(string? managed, Span<byte> buffer)
        {
            if (managed is null)
            {
                return;
            }

            if (managed.Contains('\0'))
            {
                throw new ArgumentException($"a name holds a NUL character: {managed.Replace("\0", "\\0")}");
            }

            int room = checked((managed.Length * 3) + 1);
            if (room > buffer.Length)
            {
                native = (byte*)NativeMemory.Alloc((nuint)room);
                allocated = true;
                buffer = new Span<byte>(native, room);
            }
            else
            {
                // SAFETY: the caller's buffer is on its stack and lives until the call is over.
                native = (byte*)System.Runtime.CompilerServices.Unsafe.AsPointer(ref MemoryMarshal.GetReference(buffer));
            }

            if (Encoding.UTF8.TryGetBytes(managed, buffer, out int length) && !managed.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF'))
            {
                buffer[length] = 0;
            }
            else
            {
                buffer[KernelString.Encode(managed, buffer)] = 0;
            }
        }

        public readonly byte* ToUnmanaged() => native;

        public readonly void Free()
        {
            if (allocated)
            {
                NativeMemory.Free(native);
            }
        }
    }
}

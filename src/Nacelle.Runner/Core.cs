// The types that the C# compiler and the ahead-of-time compiler take for granted, in place of .NET's library: only what the runner uses, without a heap,
// without exceptions. Their names and layouts are those compilers' contract.
#pragma warning disable CS0169, CS0649, CS9113
using System.Runtime;

namespace System
{
    public class Object { IntPtr methodTable; }
    public struct Void { }
    public struct Boolean { }
    public struct Char { }
    public struct SByte { }
    public struct Byte { }
    public struct Int16 { }
    public struct UInt16 { }
    public struct Int32 { }
    public struct UInt32 { }
    public struct Int64 { }
    public struct UInt64 { }
    public struct IntPtr { }
    public struct UIntPtr { }
    public struct Single { }
    public struct Double { }
    public abstract class ValueType { }
    public abstract class Enum : ValueType { }
    public struct Nullable<T> where T : struct { }
    public sealed class String { public readonly int Length; }
    public abstract class Array { }
    class Array<T> : Array { }
    public abstract class Delegate { }
    public abstract class MulticastDelegate : Delegate { }
    public struct RuntimeTypeHandle { }
    public struct RuntimeMethodHandle { }
    public struct RuntimeFieldHandle { }
    public class Attribute { }
    public enum AttributeTargets { }
    public sealed class AttributeUsageAttribute(AttributeTargets targets) : Attribute { public bool AllowMultiple { get; set; } public bool Inherited { get; set; } }
    public class AppContext { public static void SetData(string name, object value) { } }
}

namespace System.Runtime.CompilerServices
{
    public class RuntimeHelpers { public static unsafe int OffsetToStringData => sizeof(IntPtr) + sizeof(int); }
    public enum MethodImplOptions { InternalCall = 0x1000 }
    public sealed class MethodImplAttribute(MethodImplOptions options) : Attribute { }
    public static class IsExternalInit { }
}

namespace System.Runtime.InteropServices
{
    public enum LayoutKind { Sequential }
    public sealed class StructLayoutAttribute(LayoutKind kind) : Attribute { public int Size; }
}

namespace System.Runtime
{
    sealed class RuntimeExportAttribute(string entry) : Attribute { }
    sealed class RuntimeImportAttribute(string entry) : Attribute { }
}

namespace Internal.Runtime.CompilerHelpers
{
    class StartupCodeHelpers
    {
        [RuntimeExport("RhpReversePInvoke")] static void EnterManaged(System.IntPtr frame) { }
        [RuntimeExport("RhpReversePInvokeReturn")] static void LeaveManaged(System.IntPtr frame) { }
        [RuntimeExport("RhpPInvoke")] static void LeaveForNative(System.IntPtr frame) { }
        [RuntimeExport("RhpPInvokeReturn")] static void ReturnFromNative(System.IntPtr frame) { }
        [RuntimeExport("RhpFallbackFailFast")] static void Fail() { while (true) { } }
    }
}

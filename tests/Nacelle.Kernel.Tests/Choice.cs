using CsCheck;

namespace Nacelle.Kernel.Tests;

static class Choice
{
    /// <summary>One of these values, each as likely.</summary>
    public static Gen<T> Of<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(index => values[index]);
}

namespace Nacelle.Linux;

/// <summary>Something that the kernel is to change in the network of a namespace. <see cref="NetlinkSocket.Apply"/> has it done, once.</summary>
public sealed class NetworkChange
{
    /// <param name="operation">What it does and to what, for the error: <c>set network device eth0 up</c>.</param>
    internal NetworkChange(string operation, NetlinkWriter message)
    {
        Operation = operation;
        Message = message;
    }

    internal string Operation { get; }

    internal NetlinkWriter Message { get; }

    public override string ToString() => Operation;
}
